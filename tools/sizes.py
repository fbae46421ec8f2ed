#!/usr/bin/env python3
"""Prints the sizes of files and functions and fails on those over the limits of CONTRIBUTING.md.

Files named in tools/size_exceptions.txt (path, then the reason) may be longer. Function sizes come from Universal Ctags, if installed.
"""
import json
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ["src", "include", "tests", "bench", "tools", "scripts"]
SUFFIXES = {".h", ".cc", ".hip", ".py", ".sh"}
MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 100
MAX_KERNEL_LINES = 150
MAX_LINE_LENGTH = 120


def exceptions():
    path = ROOT / "tools" / "size_exceptions.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}


def source_files():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file():
                yield path


def functions(paths):
    """Yields (path, name, lines) of every C++ function."""
    if not shutil.which("ctags"):
        return
    out = subprocess.run(["ctags", "--output-format=json", "--fields=+ne", "--kinds-C++=f", "--languages=C++",
                          "--langmap=C++:+.hip", "-f", "-", *map(str, paths)], capture_output=True, text=True)
    if out.returncode != 0:
        return
    for line in out.stdout.splitlines():
        tag = json.loads(line)
        if "end" in tag:
            yield pathlib.Path(tag["path"]), tag["name"], tag["end"] - tag["line"] + 1


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0


def main():
    allowed = exceptions()
    problems, file_lines, function_lines = [], [], []
    paths = [p for p in source_files() if str(p.relative_to(ROOT)) not in allowed]
    for path in paths:
        lines = path.read_text(errors="replace").splitlines()
        file_lines.append(len(lines))
        if len(lines) > MAX_FILE_LINES:
            problems.append(f"{path}: {len(lines)} lines (limit {MAX_FILE_LINES})")
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_LINE_LENGTH and "://" not in line and path.suffix in {".h", ".cc", ".hip"}:
                problems.append(f"{path}:{number}: {len(line)} columns (limit {MAX_LINE_LENGTH})")
    for path, name, lines in functions([p for p in paths if p.suffix in {".h", ".cc", ".hip"}]):
        function_lines.append(lines)
        limit = MAX_KERNEL_LINES if "kernels" in path.parts else MAX_FUNCTION_LINES
        if lines > limit:
            problems.append(f"{path}: {name}() has {lines} lines (limit {limit})")
    print(f"files: {len(file_lines)}, lines median {percentile(file_lines, .5)}, p90 {percentile(file_lines, .9)}, "
          f"max {max(file_lines, default=0)}; functions: {len(function_lines)}, median {percentile(function_lines, .5)}, "
          f"p90 {percentile(function_lines, .9)}, max {max(function_lines, default=0)}")
    print("\n".join(problems) if problems else "sizes: ok")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
