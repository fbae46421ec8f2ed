#!/usr/bin/env python3
"""Predicts the speed of Llama 3.1 8B in Q4_K_M on AMD GPUs that nobody of this project has, from counts and published figures.

Usage: tools/predict_amd.py [--launches N] [--update | --check]
Prints the tables of docs/amd-predictions.md; --update writes them there, --check exits 1 where it has others. --launches: of a dense layer
and decoding step.
docs/amd-predictions.md says what the formulas are.
"""
import argparse
import dataclasses
import pathlib
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
    half_rate: int      # operations (a product and a sum are two) of matrix instructions on halves, of a compute unit and clock
    vector_cycles: int  # a SIMD's for one instruction of a wave
    overlaps: bool      # whether matrix and other vector instructions of different waves run at once


GPUS = [
    Gpu("RX 7900 XTX", "gfx1100", 96, 2, 32, 2.5e9, 960e9, 0.85, 0.42e-6, 3.87e-6, 512, 1, False),
    Gpu("RX 9070 XT", "gfx1201", 64, 2, 32, 2.97e9, 640e9, 0.96, 0.42e-6, 3.87e-6, 1024, 1, False),
    Gpu("Strix Halo (8060S)", "gfx1151", 40, 2, 32, 2.9e9, 256e9, 0.86, 0.6e-6, 3.87e-6, 512, 1, False),
    Gpu("MI300X", "gfx942", 304, 4, 64, 2.1e9, 5300e9, 0.80, 0.8e-6, 3.87e-6, 2048, 4, True),
]

# What one H200 showed (docs/performance.md), from which the shares that are reached come.
H200_STEP = 1 / 376          # s, tg64
H200_PEAK_SHARE = 0.247      # of the measured peak of its matrix instructions, pp512
H200_COPY = 4.2e12           # bytes/s
H200_NODE = 1.5e-6           # s, assumed
H200_LAUNCHES = 8            # of a dense layer when it was measured

# Of a wave's stretch in the many-row kernel: matrix instructions (16 rows x 16 outputs x 16 columns), others (tools/amd_loop_mix.py).
KERNEL_MIX = {"gfx1100": (32, 536), "gfx1201": (32, 339), "gfx1151": (32, 535), "gfx942": (32, 169)}
MATRIX_OPERATIONS = 2 * 16**3  # of one instruction
DECODE_KERNEL = "MultiplySlices<PlanarOf<BlockQ4_K>, OneRowShape<PlanarOf<BlockQ4_K>, 8192, false, 1>>"
OUTPUTS_OF_TILE, WAVES_OF_TILE = 16, 8
STRETCHES_AHEAD = {32: 2, 64: 3}  # that a wave of so many lanes keeps under way, of 128 columns
MATRIX_KERNEL = "MultiplyTiles<PlanarOf<BlockQ4_K>, TileShape<64, 32, 32>>"

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
    """Bytes/s at which a product reads: what memory gives, or what the waves that run have under way."""
    waves = min(outputs / OUTPUTS_OF_TILE * WAVES_OF_TILE, gpu.processors * gpu.simds * occupancy(DECODE_KERNEL, gpu.target))
    under_way = waves * STRETCHES_AHEAD[gpu.wave] * OUTPUTS_OF_TILE * 128 * size
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
    matrix_cycles = MATRIX_OPERATIONS / (gpu.half_rate / gpu.simds)
    vector_cycles = vector / matrix * gpu.vector_cycles
    overlaps = gpu.overlaps and occupancy(MATRIX_KERNEL, gpu.target) > 1
    cycles = max(matrix_cycles, vector_cycles) if overlaps else matrix_cycles + vector_cycles
    return tile_pieces() * cycles / (gpu.processors * gpu.simds * gpu.clock)


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
    lines += ["", f"Prompts of 512; the H200 reached {H200_PEAK_SHARE:.0%} of what its matrix instructions allow:", "",
              "| GPU | waves/SIMD | instructions' bound, tok/s | **predicted pp512** | half peak used | llama.cpp, published | source |",
              "|---|---|---|---|---|---|---|"]
    for gpu, *_, bound in rows(per_layer):
        predicted = TOKENS / bound * H200_PEAK_SHARE
        peak = gpu.processors * gpu.half_rate * gpu.clock
        used = tile_pieces() * MATRIX_OPERATIONS / TOKENS * predicted / peak
        lines.append(f"| {gpu.name} | {occupancy(MATRIX_KERNEL, gpu.target)} | {TOKENS / bound:,.0f} | **{predicted:,.0f}** | {used:.0%} | "
                     f"{PUBLISHED[gpu.name][1]} | {PUBLISHED[gpu.name][2]} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--launches", type=int, default=8)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
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
