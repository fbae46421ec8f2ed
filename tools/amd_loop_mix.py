#!/usr/bin/env python3
"""Counts matrix and other vector instructions of kernels' inner loops.

Usage: tools/amd_loop_mix.py ASSEMBLY [WORD]
ASSEMBLY: a file that scripts/check-amd.sh --keep left. For each kernel with matrix instructions (whose name has WORD in it): how many
there are in the smallest loop that has all of them, and how many other vector instructions; branches count as taken.
"""
import collections
import dataclasses
import pathlib
import re
import sys

import amd_resources

LABEL = re.compile(r"(\.LBB\w+):|; %bb\.(\d+):")
BRANCH = re.compile(r"\ts_c?branch\w* (\.LBB\w+)")
MATRIX = ("v_wmma", "v_mfma")


@dataclasses.dataclass
class Block:
    """Instructions that run one after another, and the labels of the blocks that may follow."""
    label: str
    instructions: list = dataclasses.field(default_factory=list)
    successors: list = dataclasses.field(default_factory=list)

    def count(self, prefixes):
        return sum(name.startswith(prefixes) for name in self.instructions)


def blocks_of(text):
    blocks, falls_through = [Block("entry")], True
    for line in text.splitlines():
        if (match := LABEL.match(line)):
            label = match[1] or f"%bb.{match[2]}"
            if falls_through:
                blocks[-1].successors.append(label)
            blocks.append(Block(label))
            falls_through = True
        elif re.match(r"\t[a-z]", line):
            name = line.split()[0]
            blocks[-1].instructions.append(name)
            if (match := BRANCH.match(line)):
                blocks[-1].successors.append(match[1])
            falls_through = name not in ("s_branch", "s_endpgm")
    return blocks


def loops_of(blocks):
    """The blocks of each loop: a jump back from `tail` to `head`, and what reaches `tail` without passing `head`."""
    order = {block.label: i for i, block in enumerate(blocks)}
    before = collections.defaultdict(list)
    for i, block in enumerate(blocks):
        for label in block.successors:
            before[order[label]].append(i)
    for tail, block in enumerate(blocks):
        for head in (order[label] for label in block.successors):
            body, todo = {head, tail}, [tail]
            while todo and head <= tail:
                at = todo.pop()
                more = [] if at == head else [i for i in before[at] if i not in body]
                body.update(more)
                todo += more
            if head <= tail and 0 not in body:
                yield [blocks[i] for i in body]


def mix_of(text):
    """(matrix, other vector) instructions, or None."""
    blocks = blocks_of(text)
    matrix = sum(block.count(MATRIX) for block in blocks)
    complete = [loop for loop in loops_of(blocks) if sum(block.count(MATRIX) for block in loop) == matrix]
    if matrix == 0 or not complete:
        return None
    vector = min(sum(block.count("v_") for block in loop) for loop in complete)
    return matrix, vector - matrix


def mixes(path):
    """{kernel: (matrix, other vector)}"""
    pieces = re.split(r"^(_Z\w+):.*$", pathlib.Path(path).read_text(), flags=re.M)
    found = {name: mix_of(text.split(".Lfunc_end")[0]) for name, text in zip(pieces[1::2], pieces[2::2])}
    plain = amd_resources.demangle(list(found))
    return {plain[name]: mix for name, mix in found.items() if mix is not None}


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    for kernel, (matrix, vector) in mixes(sys.argv[1]).items():
        if len(sys.argv) == 2 or sys.argv[2] in kernel:
            print(f"{kernel}: {matrix} matrix, {vector} other vector")


if __name__ == "__main__":
    main()
