#!/usr/bin/env python3
"""Compiles every GPU kernel for AMD targets and checks what each needs: no scratch memory, no spilled registers, the dot and matrix
instructions where speed depends on them, and the registers, shared memory and occupancy of the committed table.

Usage: tools/amd_resources.py --hipcc HIPCC --generated FOLDER [--targets gfx90a,gfx1100,...] [--update] [--jobs N] [--keep FOLDER]
scripts/check-amd.sh calls it. --update writes docs/amd-resources.tsv anew: look at what changed before you commit it. --keep leaves the
assembly there. tools/amd_hot_kernels.tsv says which kernels must have which instructions: regular expressions of the kernel's
name, of targets and of instructions, one of which is enough. Exits 1 on any finding.

The table has a row for each kernel and a column for each group of targets that agree everywhere. A cell holds the numbers of VGPRs,
AGPRs and SGPRs, the bytes of LDS, the waves that a SIMD holds at most, and how many dot and matrix instructions the kernel has.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

from amd_compile import ROOT, Compiler

TARGETS = "gfx90a gfx942 gfx1030 gfx1100 gfx1101 gfx1102 gfx1151 gfx1200 gfx1201".split()
COLUMNS = ["VGPRs", "AGPRs", "SGPRs", "LDS", "occupancy"]
FORBIDDEN = ["scratch", "dynamic stack", "SGPR spills", "VGPR spills"]


def demangle(names):
    done = subprocess.run(["c++filt", "-p"], input="\n".join(names), capture_output=True, text=True, check=True)
    plain = [re.sub(r"\(anonymous namespace\)::|rf::hip::|rf::", "", name).replace("> >", ">>") for name in done.stdout.splitlines()]
    return dict(zip(names, plain))


def cell_of(kernel):
    return "/".join(str(value) for value in [*(kernel[column] for column in COLUMNS), sum(kernel["instructions"].values())])


def read_table(path):
    """({(kernel, target): cell}, the compiler that made them)."""
    if not path.exists():
        return {}, None
    compiler, header, *lines = path.read_text().splitlines()
    groups = header.split("\t")[1:]
    cells = {}
    for line in lines:
        name, *values = line.split("\t")
        for group, value in zip(groups, values):
            cells.update({(name, target): value for target in group.split()})
    return cells, compiler


def groups_of(cells):
    """Lists of targets of which all cells are the same, in the order of TARGETS."""
    groups = {}
    for target in TARGETS:
        column = tuple(sorted((name, cell) for (name, of), cell in cells.items() if of == target))
        if column:
            groups.setdefault(column, []).append(target)
    return list(groups.values())


def write_table(path, cells, compiler):
    groups = groups_of(cells)
    lines = [compiler, "\t".join(["VGPRs/AGPRs/SGPRs/LDS/occupancy/dots"] + [" ".join(group) for group in groups])]
    for name in sorted({name for name, _ in cells}):
        lines.append("\t".join([name] + [cells.get((name, group[0]), "-") for group in groups]))
    path.write_text("\n".join(lines) + "\n")


def read_rules(path):
    """(kernels, targets, instructions) of each line, as regular expressions."""
    return [tuple(re.compile(part) for part in line.split("\t")) for line in path.read_text().splitlines()[1:]]


def compile_all(options):
    """({(kernel, target): what it needs}, findings of what does not compile, the compiler)."""
    compiler = Compiler(options.hipcc, options.generated, options.cache, options.keep)
    # The longest first, so that no processor waits for them at the end.
    sources = sorted(options.kernels.glob("*.cc"), key=lambda path: -path.stat().st_size)
    tasks = [(source, target) for source in sources for target in options.targets]
    kernels, findings = {}, []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for (source, target), (found, errors) in zip(tasks, pool.map(lambda task: compiler.compile(*task), tasks)):
            if errors:
                findings.append(f"{source.name} does not compile for {target}:\n{errors[-2000:]}")
            kernels.update({(name, target): kernel for name, kernel in found.items()})
    plain = demangle(sorted({name for name, _ in kernels}))
    return {(plain[name], target): kernel for (name, target), kernel in kernels.items()}, findings, compiler.version


def forbidden_in(kernels):
    for (name, target), kernel in kernels.items():
        for what in FORBIDDEN:
            if kernel[what]:
                yield f"{name} on {target}: {what} {kernel[what]}"


def missing_instructions(kernels, rules, targets):
    for name_like, target_like, instruction_like in rules:
        hot = [key for key in kernels if name_like.match(key[0]) and target_like.match(key[1])]
        if not hot and any(target_like.match(target) for target in targets):
            yield f"no kernel is called {name_like.pattern}: tools/amd_hot_kernels.tsv must name what there is"
        for name, target in hot:
            if not any(instruction_like.match(instruction) for instruction in kernels[name, target]["instructions"]):
                yield f"{name} on {target} has no {instruction_like.pattern}"


def differences(cells, known, targets):
    """What is not as the table says. Better is not right either: the table would let it become worse again."""
    for (name, target), cell in cells.items():
        before = known.get((name, target))
        if before is None:
            yield f"{name} on {target} is not in the table"
        elif before != cell:
            words = zip(COLUMNS + ["dot and matrix instructions"], before.split("/"), cell.split("/"))
            yield f"{name} on {target}: " + ", ".join(f"{what} {now}, in the table {was}" for what, was, now in words if was != now)
    for name, target in known.keys() - cells.keys():
        if target in targets and known[name, target] != "-":
            yield f"{name} on {target} is in the table, but there is no such kernel"


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hipcc", required=True)
    parser.add_argument("--generated", required=True)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--targets", type=lambda text: text.split(","), default=TARGETS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--cache", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--kernels", type=pathlib.Path, default=ROOT / "src/hip/kernels")
    parser.add_argument("--table", type=pathlib.Path, default=ROOT / "docs/amd-resources.tsv")
    parser.add_argument("--rules", type=pathlib.Path, default=ROOT / "tools/amd_hot_kernels.tsv")
    options = parser.parse_args()
    unknown = set(options.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    return options


def main():
    options = parse_options()
    kernels, findings, compiler = compile_all(options)
    findings += forbidden_in(kernels)
    findings += missing_instructions(kernels, read_rules(options.rules), options.targets)
    cells = {key: cell_of(kernel) for key, kernel in kernels.items()}
    known, known_compiler = read_table(options.table)
    if options.update:
        others = {key: cell for key, cell in known.items() if key[1] not in options.targets}
        write_table(options.table, {**others, **cells}, compiler)
    else:
        changes = list(differences(cells, known, options.targets))
        findings += changes
        if changes:
            findings.append(f"{options.table.name} is of {known_compiler}, this is {compiler}; --update writes it anew, after a look")
    for finding in findings:
        print(finding)
    print(f"{len({name for name, _ in kernels})} kernels on {len(options.targets)} targets, {len(findings)} findings")
    sys.exit(1 if findings or not kernels else 0)


if __name__ == "__main__":
    main()
