#!/usr/bin/env python3
"""Checks that every include goes to the file's own folder or to a strictly lower level (ARCHITECTURE.md, "Folders").

Usage: tools/layers.py [root]; prints each violation and exits 1 if there is one.
"""
import pathlib
import re
import sys

LEVELS = {
    "base": 0, "quant": 1, "text": 1, "kv": 1, "gguf": 2, "ops": 2, "device": 3, "cpu": 4, "hip": 4, "model": 4,
    "plan": 5, "engine": 6, "server": 7, "app": 8,
}
LEAVES = {"cpu", "hip"}  # only app/ may name them
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
SOURCES = {".h", ".cc", ".hip", ".def", ".inc"}


def violations(source_root):
    for path in sorted(source_root.rglob("*")):
        if path.suffix not in SOURCES:
            continue
        folder = path.relative_to(source_root).parts[0]
        is_test = path.stem.endswith("_test")
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match.group(1).split("/")[0]
            if "/" not in match.group(1):
                yield f"{path}:{number}: include \"{match.group(1)}\" does not name its folder"
            elif target not in LEVELS or target == folder:
                continue
            elif LEVELS[target] >= LEVELS[folder]:
                yield f"{path}:{number}: {folder} (level {LEVELS[folder]}) includes {target} (level {LEVELS[target]})"
            elif target in LEAVES and folder != "app" and not is_test:
                yield f"{path}:{number}: only app/ may include {target}/"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent) / "src"
    unknown = [d.name for d in root.iterdir() if d.is_dir() and d.name not in LEVELS]
    found = [f"{root / name}: folder has no level in tools/layers.py" for name in unknown] + list(violations(root))
    print("\n".join(found) if found else "layers: ok")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
