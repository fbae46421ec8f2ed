#!/usr/bin/env python3
"""Checks that no object file compiled for one CPU instruction set defines code that the linker may share.

An inline function or a template that a per-ISA source instantiates becomes a weak symbol. The linker keeps one copy of it
for the whole program, and that copy may be the AVX-512 one, which then runs on machines without AVX-512. So every function
that such an object defines must be local to it, or carry the instruction set in its name (rf::cpu::<isa>::...).

Usage: tools/isa_symbols.py BUILD_FOLDER; prints each offending symbol and exits 1 if there is one. The instruction sets are
those of src/cpu/isa.def for the family of processors that the folder builds for; without object files for one of them the check fails, since it would prove nothing.
"""
import pathlib
import re
import subprocess
import sys

ISA_LINE = re.compile(r"^RF_ISA\((\w+), (\w+),", re.MULTILINE)
FAMILY_LINE = re.compile(r"^RF_CPU_FAMILY:INTERNAL=(\w+)$", re.MULTILINE)
# nm's letters for what an object defines and others can see: code (T), weak code and data (W, V), unique (u), data.
SHARED_CODE = "TWiu"


def defined_symbols(object_file):
    """Yields (letter, mangled name, readable name) of each symbol that the file defines and others can see."""
    command = ["nm", "--defined-only", "--extern-only", "--format=posix"]
    mangled = subprocess.run(command + [object_file], capture_output=True, text=True, check=True).stdout
    readable = subprocess.run(["c++filt"], input=mangled, capture_output=True, text=True, check=True).stdout
    for line, plain in zip(mangled.splitlines(), readable.splitlines()):
        name, letter = line.split()[:2]
        yield letter, name, plain.rsplit(f" {letter} ", 1)[0]


def carries_isa(mangled, isa):
    """Whether the symbol itself lies in namespace rf::cpu::<isa>, and not only one of its template arguments."""
    return mangled.startswith(f"_ZN2rf3cpu{len(isa)}{isa}") or mangled.startswith(f"_ZNK2rf3cpu{len(isa)}{isa}")


def offences(build, isa):
    objects = sorted(build.glob(f"src/cpu/CMakeFiles/rf_cpu_{isa}.dir/**/*.o"))
    if not objects:
        yield f"no object files of {isa} under {build}"
    for object_file in objects:
        for letter, mangled, readable in defined_symbols(object_file):
            if letter in SHARED_CODE and not carries_isa(mangled, isa):
                yield f"{object_file.relative_to(build)}: {readable} ({letter})"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = pathlib.Path(__file__).resolve().parent.parent
    build = pathlib.Path(sys.argv[1])
    families = ["any"] + FAMILY_LINE.findall((build / "CMakeCache.txt").read_text())
    isas = [isa for family, isa in ISA_LINE.findall((root / "src/cpu/isa.def").read_text()) if family in families]
    found = [offence for isa in isas for offence in offences(build, isa)]
    for offence in found:
        print(offence)
    print(f"{len(isas)} instruction sets, {len(found)} symbols that the linker may share")
    sys.exit(1 if found or not isas else 0)


if __name__ == "__main__":
    main()
