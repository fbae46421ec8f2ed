#!/usr/bin/env python3
"""Writes the golden blocks of every quantization format, tests/data/quant/<format>.json and pack_inputs.json.

They hold blocks with the exact values that others read from them, and values with the exact blocks that others write.

Usage: tools/make_quant_golden.py LIBGGML_BASE [FORMAT...]

Needs the Python packages `gguf` (0.19) and `numpy`, and libggml-base.so of llama.cpp, whose reference functions are the
source where the package has none. Nothing here knows our code. Per format the file says where its values come from:
  gguf   the package reads the blocks; the library reads them too and must agree;
  ggml   only the library can;
  plain  written out below from the format's definition: plain types, Q8_1, MXFP6 (OCP MX v1.0).
Packed blocks come from the library's `quantize_row_*_ref`, MXFP6's from a search for the nearest number over the table
of all of them.

  blocks, values            a few blocks in hexadecimal, and their values as F32 in little-endian hexadecimal
  unpack_digest             over the values of many pseudo-random blocks (see stream and digest)
  packs                     the blocks of each named row of pack_inputs.json
  pack_digest               over the bytes of many pseudo-random rows
  below_powers_digest       the same for rows whose largest magnitude is just below a power of two
NaNs count as one value.
"""
import ctypes
import json
import pathlib
import re
import sys

import gguf
import gguf.quants
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "tests/data/quant"
SEED = 20251124
DIGEST_BLOCKS = 1024

QUANT_NAMES = {"Q8_K": "q8_K", "Q2_K": "q2_K", "Q3_K": "q3_K", "Q4_K": "q4_K", "Q5_K": "q5_K", "Q6_K": "q6_K"}
PLAIN = {"F32": "<f4", "F16": "<f2", "BF16": None, "F64": "<f8", "I8": "<i1", "I16": "<i2", "I32": "<i4", "I64": "<i8"}
SIZES = {"Q8_1": (32, 36), "Q8_K": (256, 292), "Q1_0": (128, 18), "Q2_0": (64, 18), "MXFP6_E2M3": (32, 25),
         "MXFP6_E3M2": (32, 25)}
PACKED = ("F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q8_K", "MXFP4", "MXFP6_E2M3",
          "MXFP6_E3M2")


# What the library leaves undefined: it converts a negative number to an unsigned byte where all are below 2^-125.
UNDEFINED = {("MXFP4", "inverse scale overflows")}


# ---------------------------------------------------------------- numbers that the test makes too

def mix(x):
    """The finalizer of splitmix64, on arrays of uint64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def stream(seed, n):
    """n pseudo-random 64-bit words: splitmix64."""
    return mix(np.uint64(seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def random_blocks(n, size):
    return stream(SEED, -(-n * size // 8)).astype("<u8").view(np.uint8)[:n * size].reshape(n, size)


def random_rows(n, elements):
    """Row r: integers of 24 bits times 2^(r % 32 - 40), exact in F32."""
    words = stream(SEED + 1, n * elements).reshape(n, elements)
    integers = (words & np.uint64(0xffffff)).astype(np.int64) - 0x800000
    return (integers * 2.0 ** (np.arange(n) % 32 - 40.0)[:, None]).astype(np.float32)


def digest(words):
    """Sum of mix(word + (index << 32)) over 32-bit words, modulo 2^64."""
    words = words.astype(np.uint64) + (np.arange(words.size, dtype=np.uint64) << np.uint64(32))
    return int(mix(words).sum(dtype=np.uint64))


def canonical(values):
    bits = np.ascontiguousarray(values, dtype="<f4").view("<u4").reshape(-1).copy()
    bits[(bits & 0x7fffffff) > 0x7f800000] = 0x7fc00000
    return bits


# ---------------------------------------------------------------- sources

def pointer(array):
    return array.ctypes.data_as(ctypes.c_void_p)


class Library:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)

    def function(self, name, fmt):
        quant = QUANT_NAMES.get(fmt, fmt.lower())
        return getattr(self.lib, name.format(quant), None)

    def unpack(self, fmt, blocks, elements):
        function = self.function("dequantize_row_{}", fmt)
        if function is None:
            return None
        data = np.ascontiguousarray(blocks)
        values = np.empty(blocks.shape[0] * elements, dtype=np.float32)
        function(pointer(data), pointer(values), ctypes.c_int64(values.size))
        return values

    def pack(self, fmt, values, elements, size):
        function = self.function("quantize_row_{}_ref", fmt)
        if function is None:
            return None
        data = np.ascontiguousarray(values, dtype=np.float32)
        blocks = np.zeros((data.size // elements, size), dtype=np.uint8)
        function(pointer(data), pointer(blocks), ctypes.c_int64(data.size))
        return blocks


def fp6_table(exponent_bits, mantissa_bits, bias):
    """Every code's value, from the definition of OCP MX v1.0: no infinities, no NaN."""
    table = []
    for code in range(64):
        exponent = (code & 31) >> mantissa_bits
        fraction = (code & ((1 << mantissa_bits) - 1)) / 2.0**mantissa_bits
        value = 2.0 ** (1 - bias) * fraction if exponent == 0 else 2.0 ** (exponent - bias) * (1 + fraction)
        table.append(-value if code & 32 else value)
    return np.array(table)


FP6 = {"MXFP6_E2M3": (fp6_table(2, 3, 1), 2), "MXFP6_E3M2": (fp6_table(3, 2, 3), 4)}
assert max(FP6["MXFP6_E2M3"][0]) == 7.5 and max(FP6["MXFP6_E3M2"][0]) == 28.0


def fp6_unpack(fmt, blocks):
    rows = []
    for block in blocks:
        bits = int.from_bytes(block[1:].tobytes(), "little")
        scale = 2.0 ** (int(block[0]) - 127) if block[0] != 255 else np.nan
        rows.append([FP6[fmt][0][bits >> (6 * j) & 63] * scale for j in range(32)])
    return np.array(rows).astype(np.float32)


def fp6_pack(fmt, rows):
    table, largest_exponent = FP6[fmt]
    out = []
    for row in rows.reshape(-1, 32).astype(np.float64):
        biggest = abs(row).max()
        e = 0 if biggest == 0 else min(max(int(np.frexp(biggest)[1]) - 1 - largest_exponent + 127, 0), 254)
        bits = 0
        for j, value in enumerate(row / 2.0 ** (e - 127)):
            half = table[:32]
            error = abs(half - abs(value))
            nearest = [c for c in range(32) if error[c] == error.min()]
            code = nearest[0] if len(nearest) == 1 else next(c for c in nearest if c % 2 == 0)
            bits |= (code | (32 if np.signbit(value) else 0)) << (6 * j)
        out.append(np.frombuffer(bytes([e]) + bits.to_bytes(24, "little"), dtype=np.uint8))
    return np.array(out)


def sizes(fmt):
    if fmt in SIZES:
        return SIZES[fmt]
    return gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[fmt]]


def unpack_plain(fmt, blocks):
    with np.errstate(over="ignore", invalid="ignore"):
        if fmt in FP6:
            return fp6_unpack(fmt, blocks)
        if fmt == "Q8_1":
            return blocks[:, :2].copy().view("<f2").astype(np.float32) * blocks[:, 4:].view(np.int8).astype(np.float32)
        return np.ascontiguousarray(blocks).reshape(-1).view(PLAIN[fmt]).astype(np.float32)


def unpack_as_published(fmt, blocks):
    """The formats that the package does not read, from the sentences that define them."""
    with np.errstate(all="ignore"):
        if fmt == "Q8_K":
            return blocks[:, :4].copy().view("<f4") * blocks[:, 4:260].view(np.int8).astype(np.float32)
        d = blocks[:, :2].copy().view("<f2").astype(np.float32)
        bits = np.unpackbits(blocks[:, 2:], axis=1, bitorder="little")
        if fmt == "Q1_0":
            return np.where(bits == 1, d, -d)
        assert fmt == "Q2_0"
        return (bits[:, ::2].astype(np.float32) + 2 * bits[:, 1::2].astype(np.float32) - 1) * d


def unpack(fmt, blocks, library):
    """(values, where they come from)."""
    elements = sizes(fmt)[0]
    if fmt in FP6 or fmt == "Q8_1" or PLAIN.get(fmt):
        return unpack_plain(fmt, blocks), "plain"
    by_library = library.unpack(fmt, blocks, elements)
    kind = getattr(gguf.GGMLQuantizationType, fmt, None)
    if kind not in gguf.quants._type_traits:
        assert by_library is not None, f"{fmt}: nothing here can read it"
        published = unpack_as_published(fmt, blocks)
        assert (canonical(by_library) == canonical(published)).all(), f"{fmt}: the library reads it otherwise"
        return by_library, "ggml"
    with np.errstate(all="ignore"):
        values = gguf.quants.dequantize(blocks, kind)
    if by_library is not None:
        same = canonical(values) == canonical(by_library)
        assert same.all(), f"{fmt}: package and library differ in {np.count_nonzero(~same)} values"
    return values, "gguf"


def pack(fmt, rows, library):
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    if fmt in FP6:
        return fp6_pack(fmt, rows)
    if fmt == "F32":
        return rows.astype("<f4").reshape(-1, 1).view(np.uint8)
    if fmt == "F16":
        with np.errstate(over="ignore"):
            return rows.astype("<f2").reshape(-1, 1).view(np.uint8)
    if fmt == "BF16":
        return gguf.quants.quantize(rows.reshape(1, -1), gguf.GGMLQuantizationType.BF16).reshape(-1, 2)
    return library.pack(fmt, rows, *sizes(fmt))


# ---------------------------------------------------------------- cases

def pack_cases():
    """Named rows of 256 values."""
    ramp = np.arange(256, dtype=np.float64)
    normal = np.random.default_rng(3).standard_normal(256)
    largest = np.finfo(np.float32).max
    return {
        "zeros": np.zeros(256),
        "negative zeros": np.full(256, -0.0),
        "all equal": np.full(256, 0.75),
        "a tie of magnitudes, the positive first": np.where(ramp % 2 == 0, 3.0, -3.0),
        "a tie of magnitudes, the negative first": np.where(ramp % 2 == 0, -3.0, 3.0),
        "halves between quants": (ramp - 127) / 2,
        "steps and their midpoints": (ramp % 64 - 32) / 4,
        "just below a half": np.where(ramp % 32 == 0, 127.0, 0.49999997),
        "normal": normal,
        "one far out": np.where(ramp % 32 == 5, 1000.0, normal / 100),
        "positive only": abs(normal) + 5,
        "negative only": -abs(normal) - 5,
        "scales subnormal in F16": normal * 1e-6,
        "scales vanish in F16": normal * 1e-12,
        "inverse scale overflows": normal * 1e-41,
        "scales overflow F16": normal * 1e7,
        "the largest floats": np.where(ramp % 3 == 0, largest, -largest) * (1 - ramp / 4096),
    }


def rows_below_powers(elements):
    """For k of -45..45 and n of 1..48 a row: x = 2^k (1 - n 2^-24), then x * (j % 32 - 16) / 16 rounded to F32."""
    numbers = [2.0**k * (1 - n * 2.0**-24) for k in range(-45, 46) for n in range(1, 49)]
    first = np.array(numbers, dtype=np.float32)[:, None]
    j = np.arange(elements)
    return np.where(j == 0, first, first * ((j % 32 - 16) / np.float32(16)).astype(np.float32))


def hexadecimal(array):
    return np.ascontiguousarray(array).view(np.uint8).tobytes().hex()


def write_json(name, content):
    path = DATA / f"{name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path.stat().st_size


def write_format(fmt, library):
    elements, size = sizes(fmt)
    n_shown = max(1, 256 // elements) if elements > 1 else 32
    blocks = random_blocks(DIGEST_BLOCKS, size)
    values, source = unpack(fmt, blocks, library)
    bits = canonical(values)
    out = {"format": fmt, "source": source, "elements": elements, "bytes": size,
           "blocks": hexadecimal(blocks[:n_shown]), "values": bits[:n_shown * elements].tobytes().hex(),
           "unpack_digest": f"{digest(bits):016x}"}
    if fmt in PACKED:
        row_elements = max(elements, 32)
        cases = {name: row.astype(np.float32) for name, row in pack_cases().items() if (fmt, name) not in UNDEFINED}
        out["packs"] = {name: hexadecimal(pack(fmt, row, library)) for name, row in cases.items()}
        out["pack_digest"] = f"{digest(pack(fmt, random_rows(DIGEST_BLOCKS, row_elements), library).reshape(-1)):016x}"
        out["below_powers_digest"] = f"{digest(pack(fmt, rows_below_powers(row_elements), library).reshape(-1)):016x}"
    print(f"{fmt}: {source}, {write_json(fmt.lower(), out)} bytes")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    library = Library(sys.argv[1])
    write_json("pack_inputs", {name: hexadecimal(row.astype("<f4")) for name, row in pack_cases().items()})
    names = re.findall(r"^RF_FORMAT\((\w+),", (ROOT / "src/quant/formats.def").read_text(), re.M)
    for fmt in sys.argv[2:] or names:
        write_format(fmt, library)


if __name__ == "__main__":
    main()
