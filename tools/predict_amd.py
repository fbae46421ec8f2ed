#!/usr/bin/env python3
"""Predicts the speed of Llama 3.1 8B in Q4_K_M on AMD GPUs that nobody of this project has, from counts and published figures.

Usage: tools/predict_amd.py [--launches N] [--update | --check]
       tools/predict_amd.py --count ASSEMBLY
Prints the tables of docs/amd-predictions.md; --update writes them there, --check exits 1 where it has others. --launches: of a dense layer
and decoding step. --count: matrix and other vector instructions in the innermost loops of the many-row kernel, from an assembly
file that scripts/check-amd.sh --keep left; KERNEL_MIX below has them.
docs/amd-predictions.md says what the formulas are.
"""
import argparse
import dataclasses
import pathlib
import re
import sys

import amd_resources

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs/amd-predictions.md"
BEGIN, END = "<!-- tools/predict_amd.py writes what follows -->", "<!-- to here -->"


@dataclasses.dataclass
class Gpu:
    name: str
    target: str
    processors: int     # compute units
    simds: int          # of a compute unit
    wave: int
    clock: float        # Hz
    bandwidth: float    # bytes/s, published
    share: float        # of it that a long stream reaches
    latency: float      # s, of a load from memory
    node: float         # s, from a small kernel of a recorded step to the next
    int8_rate: int      # operations (a product and a sum are two) of a compute unit and clock
    vector_cycles: int  # a SIMD's for one instruction of a wave
    overlaps: bool      # whether matrix and other vector instructions of different waves run at once


GPUS = [
    Gpu("RX 7900 XTX", "gfx1100", 96, 2, 32, 2.5e9, 960e9, 0.85, 0.42e-6, 3.87e-6, 512, 1, False),
    Gpu("RX 9070 XT", "gfx1201", 64, 2, 32, 2.97e9, 640e9, 0.96, 0.42e-6, 3.87e-6, 2048, 1, False),
    Gpu("Strix Halo (8060S)", "gfx1151", 40, 2, 32, 2.9e9, 256e9, 0.86, 0.6e-6, 3.87e-6, 512, 1, False),
    Gpu("MI300X", "gfx942", 304, 4, 64, 2.1e9, 5300e9, 0.80, 0.8e-6, 3.87e-6, 4096, 4, True),
]

# What one H200 showed (docs/performance.md), from which the shares that are reached come.
H200_STEP = 1 / 341          # s, tg64
H200_PROMPT = 512 / 5253     # s, pp512
H200_COPY = 4.2e12           # bytes/s
H200_NODE = 1.5e-6           # s, assumed
H200_LAUNCHES = 8            # of a dense layer when it was measured
H200_BOUND = {"schedulers": 132 * 4, "clock": 1.83e9, "matrix_cycles": 2, "matrix": 2, "vector": 165 / 8}

# Instructions of a wave for 16 rows x 16 outputs x 16 columns in both planes: matrix, and by --count the others beside them.
KERNEL_MIX = {"gfx1100": (2, 165 / 8), "gfx1201": (2, 164 / 8), "gfx1151": (2, 165 / 8), "gfx942": (1, 142 / 16)}
MATRIX_OPERATIONS = {"gfx1100": 8192, "gfx1201": 8192, "gfx1151": 8192, "gfx942": 16384}  # of one instruction
DECODE_KERNEL = "MultiplyIntegers<BlockQ4_K, ProductShape<1, 2, 1>>"
DECODE_OUTPUTS, DECODE_LANES = 2, 32       # of a thread; for an output
BLOCK_OUTPUTS, BLOCKS_LOADING_AHEAD = 8, 4  # up to so many blocks of a processor load two rounds at once
MATRIX_KERNEL = "MultiplyMatrixTiles<BlockQ4_K, MatrixShape<128, 32>>"

# Llama 3.1 8B. Bytes of 256 weights; half of V and of the second feed-forward matrix is Q6_K, and the output.
LAYERS, MODEL, KV, FEED_FORWARD, VOCABULARY = 32, 4096, 1024, 14336, 128256
Q4_K, Q6_K = 144 / 256, 210 / 256
MORE_LAYERS = 16  # whose V is Q6_K: a launch of its own
OUTSIDE = 4       # launches of a step that are of no layer
TOKENS, MEAN_POSITION = 512, 64

PUBLISHED = {
    "RX 7900 XTX": ("105.8", "3,227 (pp2048)", "[pull request 26284](https://github.com/ggml-org/llama.cpp/pull/26284), HIP, Llama 8B"),
    "RX 9070 XT": ("94; Vulkan 119.6", "3,936; Vulkan 4,802",
                   "[VulkanForge](https://github.com/maeddesg/vulkanforge), benchmarks by a rival, Llama 3.1 8B"),
    "Strix Halo (8060S)": ("41.5", "1,268 (prompt of 128)",
                           "[pull request 59](https://github.com/AMD-Ecosystem/llama.cpp/pull/59) of a fork, HIP, Qwen3 8B"),
    "MI300X": ("161", "5,839", "[discussion 14640](https://github.com/ggml-org/llama.cpp/discussions/14640), ROCm, Qwen3 8B"),
}


def products():
    """(how many, outputs, columns, bytes of a weight) of a step's launches with weights."""
    some = MORE_LAYERS
    return [
        (LAYERS - some, MODEL + 2 * KV, MODEL, Q4_K), (some, MODEL + KV, MODEL, Q4_K), (some, KV, MODEL, Q6_K),
        (LAYERS, MODEL, MODEL, Q4_K), (LAYERS, 2 * FEED_FORWARD, MODEL, Q4_K),
        (LAYERS - some, MODEL, FEED_FORWARD, Q4_K), (some, MODEL, FEED_FORWARD, Q6_K), (1, VOCABULARY, MODEL, Q6_K),
    ]


def weight_bytes():
    return sum(count * outputs * columns * size for count, outputs, columns, size in products())


def kv_bytes():
    return LAYERS * 2 * KV * 2 * MEAN_POSITION


def launches(per_layer):
    return LAYERS * per_layer + MORE_LAYERS + OUTSIDE


def occupancy(kernel, target):
    cells, _ = amd_resources.read_table(ROOT / "docs/amd-resources.tsv")
    if (kernel, target) not in cells:
        sys.exit(f"docs/amd-resources.tsv has no {kernel} on {target}: name in {pathlib.Path(__file__).name} what there is")
    return int(cells[kernel, target].split("/")[amd_resources.COLUMNS.index("occupancy")])


def stream_rate(gpu, outputs, size):
    """Bytes/s at which a product reads: what memory gives, or what the threads that run have under way."""
    threads = min(outputs / DECODE_OUTPUTS * DECODE_LANES, gpu.processors * gpu.simds * gpu.wave * occupancy(DECODE_KERNEL, gpu.target))
    rounds = 2 if outputs / BLOCK_OUTPUTS <= BLOCKS_LOADING_AHEAD * gpu.processors else 1
    under_way = threads * rounds * DECODE_OUTPUTS * 32 * size
    return min(gpu.bandwidth * gpu.share, under_way / gpu.latency)


def kernel_latency():
    """What a launch takes besides its bytes and the runtime's share: what is left of the H200's step."""
    reading = (weight_bytes() + kv_bytes()) / H200_COPY
    return (H200_STEP - reading) / launches(H200_LAUNCHES) - H200_NODE


def decode_seconds(gpu, per_layer):
    reading = sum(count * outputs * columns * size / stream_rate(gpu, outputs, size) for count, outputs, columns, size in products())
    reading += kv_bytes() / (gpu.bandwidth * gpu.share)
    return reading, launches(per_layer) * (gpu.node + kernel_latency())


def tile_pieces():
    """16 rows x 16 outputs x 16 columns of a prompt's layers; of the output only the last row is multiplied."""
    return sum(count * outputs * columns for count, outputs, columns, _ in products() if outputs != VOCABULARY) * TOKENS / 16**3


def prefill_bound(gpu):
    """Seconds that the SIMDs need to issue the instructions of a prompt's products."""
    matrix, vector = KERNEL_MIX[gpu.target]
    matrix *= MATRIX_OPERATIONS[gpu.target] / (gpu.int8_rate / gpu.simds)
    vector *= gpu.vector_cycles
    overlaps = gpu.overlaps and occupancy(MATRIX_KERNEL, gpu.target) > 1
    cycles = max(matrix, vector) if overlaps else matrix + vector
    return tile_pieces() * cycles / (gpu.processors * gpu.simds * gpu.clock)


def prefill_share():
    """Of the bound that the same kernel reached on the H200."""
    cycles = H200_BOUND["matrix"] * H200_BOUND["matrix_cycles"] + H200_BOUND["vector"]
    return tile_pieces() * cycles / (H200_BOUND["schedulers"] * H200_BOUND["clock"]) / H200_PROMPT


def rows(per_layer):
    for gpu in GPUS:
        reading, waiting = decode_seconds(gpu, per_layer)
        limit = (weight_bytes() + kv_bytes()) / gpu.bandwidth
        yield gpu, reading, waiting, limit, prefill_bound(gpu)


def tables(per_layer):
    lines = [f"Decoding, {per_layer} launches for each dense layer, {launches(per_layer)} in all; {weight_bytes() / 1e9:.2f} GB of weights:", "",
             "| GPU | waves/SIMD | reading, ms | launches, ms | **predicted tg128** | of the bandwidth | at 10 launches | llama.cpp, published |",
             "|---|---|---|---|---|---|---|---|"]
    for gpu, reading, waiting, limit, _ in rows(per_layer):
        step = reading + waiting
        lines.append(f"| {gpu.name} | {occupancy(DECODE_KERNEL, gpu.target)} | {reading * 1e3:.2f} | {waiting * 1e3:.2f} | **{1 / step:.0f}** | "
                     f"{limit / step:.0%} | {1 / sum(decode_seconds(gpu, 10)):.0f} | {PUBLISHED[gpu.name][0]} |")
    lines += ["", f"Prompts of 512; the same kernel reached {prefill_share():.0%} of the bound on the H200:", "",
              "| GPU | waves/SIMD | instructions' bound, tok/s | **predicted pp512** | int8 peak used | llama.cpp, published | source |",
              "|---|---|---|---|---|---|---|"]
    for gpu, *_, bound in rows(per_layer):
        predicted = TOKENS / bound * prefill_share()
        peak = gpu.processors * gpu.int8_rate * gpu.clock
        used = tile_pieces() * 16**3 * 4 / TOKENS * predicted / peak
        lines.append(f"| {gpu.name} | {occupancy(MATRIX_KERNEL, gpu.target)} | {TOKENS / bound:,.0f} | **{predicted:,.0f}** | {used:.0%} | "
                     f"{PUBLISHED[gpu.name][1]} | {PUBLISHED[gpu.name][2]} |")
    return "\n".join(lines)


def count_mix(path):
    """Per kernel: matrix and other vector instructions of the stretches between labels that have matrix instructions."""
    name, stretch, found = None, [], {}
    for line in [*pathlib.Path(path).read_text().splitlines(), "_Z:"]:
        if (match := re.match(r"(_Z\w*):|\.LBB\w+:", line)):
            matrix = sum(word.startswith(("v_wmma", "v_mfma")) for word in stretch)
            if matrix:
                before = found.get(name, (0, 0))
                found[name] = (before[0] + matrix, before[1] + len(stretch) - matrix)
            name, stretch = match[1] or name, []
        elif line.startswith("\tv_"):
            stretch.append(line.split()[0])
    plain = amd_resources.demangle(list(found))
    return [f"{plain[name]}: {matrix} matrix, {vector} other vector" for name, (matrix, vector) in found.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--launches", type=int, default=8)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--count", metavar="ASSEMBLY")
    options = parser.parse_args()
    if options.count:
        print("\n".join(count_mix(options.count)))
        return
    text = tables(options.launches)
    if not options.update and not options.check:
        print(text)
        return
    before, rest = DOCUMENT.read_text().split(BEGIN)
    now = f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}"
    if options.update:
        DOCUMENT.write_text(now)
    elif now != DOCUMENT.read_text():
        sys.exit(f"{DOCUMENT.name} is not what {pathlib.Path(__file__).name} says: --update")


if __name__ == "__main__":
    main()
