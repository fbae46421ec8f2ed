#!/usr/bin/env python3
"""Writes the codebooks of the IQ formats, src/quant/<name>_grid.h, as bitmaps.

Usage: tools/make_iq_grids.py; needs the Python packages `gguf` and `numpy`; run scripts/format.sh afterwards.

A codebook is a set of points, tuples of small digits (8 digits of 3 levels, or 4 digits of 8 levels), in ascending
order of the number that the digits form, the first digit the least significant. So a bit for each possible point holds
all there is to know: bit n of the map says whether the point with number n belongs to the set. The sets are published
with ggml; the package is where this tool reads them.
"""
import pathlib

import gguf.quants
import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "src/quant"
GRIDS = [  # header, class of the package, constant, formats
    ("iq1_grid", "IQ1_S", "kIq1Grid", "IQ1_S and IQ1_M"),
    ("iq2_xxs_grid", "IQ2_XXS", "kIq2XxsGrid", "IQ2_XXS"),
    ("iq2_xs_grid", "IQ2_XS", "kIq2XsGrid", "IQ2_XS"),
    ("iq2_s_grid", "IQ2_S", "kIq2SGrid", "IQ2_S"),
    ("iq3_xxs_grid", "IQ3_XXS", "kIq3XxsGrid", "IQ3_XXS"),
    ("iq3_s_grid", "IQ3_S", "kIq3SGrid", "IQ3_S"),
]
TEMPLATE = """// The codebook of {formats}: {count} of the {possible} points of {digits} digits with {levels} levels.
// Written by tools/make_iq_grids.py; what the bits mean is said in quant/iq_grid.h and docs/quant/iq_grids.md.
#pragma once

#include "quant/iq_grid.h"

namespace rf {{

RF_SHARED_TABLE uint32_t {constant}Map[] = {{{words}}};
RF_SHARED_TABLE IqGrid<{count}> {constant} = {expand}<{count}>({constant}Map);

}}  // namespace rf
"""


def main():
    for header, name, constant, formats in GRIDS:
        source = getattr(gguf.quants, name)
        source.init_grid()
        points = source.grid[0, 0]
        levels, digits, count = len(source.grid_map), points.shape[1], points.shape[0]
        numbers = np.searchsorted(np.array(source.grid_map, dtype=np.float32), points) @ levels ** np.arange(digits)
        assert (np.diff(numbers) > 0).all(), f"{name}: the points are not in ascending order"
        bits = np.zeros(-(-levels**digits // 32) * 32, dtype=np.uint8)
        bits[numbers] = 1
        words = np.packbits(bits, bitorder="little").view("<u4")
        text = TEMPLATE.format(formats=formats, count=count, possible=levels**digits, digits=digits, levels=levels,
                               constant=constant, words=", ".join(f"0x{word:08x}" for word in words),
                               expand="ExpandTernaryGrid" if levels == 3 else "ExpandOctalGrid")
        (FOLDER / f"{header}.h").write_text(text)


if __name__ == "__main__":
    main()
