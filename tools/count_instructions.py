#!/usr/bin/env python3
"""Instructions that a decoding step and a prompt take on the CPU, by function: a comparison that no noise disturbs.

  tools/count_instructions.py [--isa avx2] [--program build/release/rocmforge] MODEL

Runs `generate` on one thread under callgrind (Debian: valgrind), twice for each of the two figures: with 9 and 5 new tokens, and
with 72 and 40 words of prompt. What loading takes is the same in both and is subtracted. Words are one token each in most vocabularies;
the figure for prompts is per word. Prints the functions above 1 %. Valgrind knows no AVX-512: sets up to avx2 can be counted.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINE = re.compile(r"^ *([\d,]+) +\([^)]*\) +[^:]*:(?!:)(.*?)(?: \[[^\]]*\])?$")
TOTAL = re.compile(r"^ *([\d,]+) +\([^)]*\) +PROGRAM TOTALS")


def count(options, n_words, n_tokens):
    """{function: instructions} of one run; None: all of them."""
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "out")
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", options.program, "generate", options.model, "--threads", "1",
                   "--prompt", " ".join(["time"] * n_words), "-n", str(n_tokens), "--temp", "0"]
        run = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "ROCMFORGE_CPU_ISA": options.isa})
        if run.returncode != 0:
            sys.exit(f"exit status {run.returncode}\n{run.stderr.strip()[-2000:]}")
        listing = subprocess.run(["callgrind_annotate", "--threshold=100", out], capture_output=True, text=True, check=True).stdout
    counts = {}
    for line in listing.splitlines():
        if total := TOTAL.match(line):
            counts[None] = int(total[1].replace(",", ""))
        elif found := LINE.match(line):
            counts[found[2]] = counts.get(found[2], 0) + int(found[1].replace(",", ""))
    return counts


def short_name(function):
    """Without the namespaces that all share and without parameters."""
    name = re.sub(r"rf::|cpu::|\(rf::Format\)|\(anonymous namespace\)::|^void ", "", function)
    return re.sub(r"\((?:[A-Za-z].*)?\)(?: const)?$", "", name)


def print_difference(title, more, less, units):
    """A Markdown table of what `more` has above `less`, per unit."""
    total = more[None] - less[None]
    print(f"\n{title}: {total / units / 1e6:.2f} million instructions\n\n| function | million | share |\n|---|---|---|")
    rows = [(more[name] - less.get(name, 0), name) for name in more if name is not None]
    for difference, name in sorted(rows, reverse=True):
        if difference >= total / 100:
            print(f"| {short_name(name)} | {difference / units / 1e6:.3f} | {100 * difference / total:.1f} % |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--isa", default="avx2")
    parser.add_argument("--program", default=str(ROOT / "build/release/rocmforge"))
    options = parser.parse_args()
    base = count(options, 40, 5)
    print_difference("A decoding step", count(options, 40, 9), base, 4)
    print_difference("A word of a prompt", count(options, 72, 5), base, 32)


if __name__ == "__main__":
    main()
