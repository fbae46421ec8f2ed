#!/usr/bin/env python3
"""Compiles every GPU kernel for AMD targets, and checks what each needs: no scratch memory, no spilled registers, and no more registers or
shared memory than the committed table says.

Usage: tools/amd_resources.py HIPCC GENERATED [--update] [--archs gfx90a,gfx1100,...] [--jobs N]
HIPCC compiles HIP for AMD; GENERATED is the folder with the generated headers (build/release/src/ops/generated). --update writes
docs/amd-resources.tsv anew, after the change has been looked at. Exits 1 on any finding.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
KERNELS = ROOT / "src/hip/kernels"
TABLE = ROOT / "docs/amd-resources.tsv"
ARCHS = "gfx90a gfx942 gfx1030 gfx1100 gfx1101 gfx1102 gfx1151 gfx1200 gfx1201".split()
COLUMNS = ["VGPRs", "AGPRs", "SGPRs", "LDS", "Occupancy"]
REMARK = re.compile(r"remark:\s+([A-Za-z ]+?)(?: \[[^\]]*\])?: (\S+) \[-Rpass")
NAMES = {"TotalSGPRs": "SGPRs", "LDS Size": "LDS", "ScratchSize": "Scratch", "SGPRs Spill": "SGPR spills", "VGPRs Spill": "VGPR spills"}


def kernels_of(remarks):
    """Yields a dict for each kernel of one compilation, from clang's -Rpass-analysis=kernel-resource-usage."""
    kernel = None
    for line in remarks.splitlines():
        match = REMARK.search(line)
        if not match:
            continue
        key, value = match.groups()
        if key == "Function Name":
            if kernel:
                yield kernel
            kernel = {"name": value}
        elif kernel is not None and value.lstrip("-").isdigit():
            kernel[NAMES.get(key, key)] = int(value)
    if kernel:
        yield kernel


def compile_one(hipcc, generated, source, arch):
    command = [hipcc, "-x", "hip", f"--offload-arch={arch}", "--cuda-device-only", "--no-gpu-bundle-output", "-std=c++20", "-O3",
               "-ffp-contract=off", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'src'}", f"-I{generated}",
               "-Rpass-analysis=kernel-resource-usage", "-c", str(source), "-o", os.devnull]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return source, arch, done.returncode, done.stderr


def demangle(names):
    done = subprocess.run(["c++filt", "-p"], input="\n".join(names), capture_output=True, text=True, check=True)
    plain = [re.sub(r"\(anonymous namespace\)::|rf::hip::|rf::", "", name) for name in done.stdout.splitlines()]
    return dict(zip(names, plain))


def read_table():
    if not TABLE.exists():
        return {}
    rows = [line.split("\t") for line in TABLE.read_text().splitlines()[1:]]
    return {(row[0], row[1]): [int(value) for value in row[2:]] for row in rows}


def write_table(rows):
    lines = ["\t".join(["kernel", "target"] + COLUMNS)]
    lines += ["\t".join([name, arch] + [str(value) for value in values]) for (name, arch), values in sorted(rows.items())]
    TABLE.write_text("\n".join(lines) + "\n")


def findings_of(kernel, arch, known):
    """What is wrong with one kernel, in words."""
    for what in ("Scratch", "SGPR spills", "VGPR spills"):
        if kernel.get(what, 0):
            yield f"{kernel['plain']} on {arch}: {what} {kernel[what]}"
    if known is None:
        yield f"{kernel['plain']} on {arch} is not in {TABLE.name}: --update after a look"
        return
    for column, now, before in zip(COLUMNS, values_of(kernel), known):
        worse = now < before if column == "Occupancy" else now > before
        if worse:
            yield f"{kernel['plain']} on {arch}: {column} {now}, was {before}"


def values_of(kernel):
    return [kernel.get(column, 0) for column in COLUMNS]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hipcc")
    parser.add_argument("generated")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--archs", default=",".join(ARCHS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    sources = sorted(path for path in KERNELS.glob("*.cc"))
    tasks = [(options.hipcc, options.generated, source, arch) for source in sources for arch in options.archs.split(",")]
    kernels, findings = [], []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for source, arch, code, errors in pool.map(lambda task: compile_one(*task), tasks):
            if code != 0:
                findings.append(f"{source.name} does not compile for {arch}:\n{errors[-2000:]}")
            kernels += [dict(kernel, arch=arch) for kernel in kernels_of(errors)]
    plain = demangle(sorted({kernel["name"] for kernel in kernels}))
    known = {} if options.update else read_table()
    rows = {}
    for kernel in kernels:
        kernel["plain"] = plain[kernel["name"]]
        rows[kernel["plain"], kernel["arch"]] = values_of(kernel)
        before = values_of(kernel) if options.update else known.get((kernel["plain"], kernel["arch"]))
        findings += findings_of(kernel, kernel["arch"], before)
    if options.update:
        write_table(rows)
    for finding in findings:
        print(finding)
    print(f"{len(rows)} kernels on {len(options.archs.split(','))} targets, {len(findings)} findings")
    sys.exit(1 if findings or not rows else 0)


if __name__ == "__main__":
    main()
