"""Rotary frequencies of the published models in float64, written from the papers and the models' published configurations.

A configuration is what `config.json` calls rope_parameters: {"rope_type": "default" | "linear" | "llama3" | "yarn" | "longrope",
"rope_theta": base, …} with the keys that the type needs.
"""
import math

import numpy as np


def plain(base, dim):
    """One frequency for each pair: base^(-2j/dim). Su et al. 2021, arXiv:2104.09864."""
    return base ** (-np.arange(0, dim, 2, dtype=np.float64) / dim)


def linear(rope, dim, context):
    """Positions divided by the factor. Chen et al. 2023, arXiv:2306.15595."""
    return plain(rope["rope_theta"], dim) / rope["factor"], 1.0


def llama3(rope, dim, context):
    """Slow pairs stretched, fast ones left alone, those between blended by wavelength. Llama 3.1, as published."""
    frequencies = plain(rope["rope_theta"], dim)
    old = rope["original_max_position_embeddings"]
    longest, shortest = old / rope["low_freq_factor"], old / rope["high_freq_factor"]
    out = []
    for f in frequencies:
        wavelength = 2 * math.pi / f
        if wavelength < shortest:
            out.append(f)
        elif wavelength > longest:
            out.append(f / rope["factor"])
        else:
            share = (old / wavelength - rope["low_freq_factor"]) / (rope["high_freq_factor"] - rope["low_freq_factor"])
            out.append((1 - share) * f / rope["factor"] + share * f)
    return np.array(out), 1.0


def yarn_magnitude(factor, multiplier=1.0):
    return 1.0 if factor <= 1 else 0.1 * multiplier * math.log(factor) + 1.0


def yarn(rope, dim, context):
    """Pairs that turn often keep their frequency, those that turn less than beta_slow times over the original context are
    stretched, a ramp over the index between. Peng et al. 2023, arXiv:2309.00071, sections 3.2 and 3.4."""
    base, factor = rope["rope_theta"], rope["factor"]
    old = rope["original_max_position_embeddings"]

    def index_that_turns(times):
        return dim * math.log(old / (times * 2 * math.pi)) / (2 * math.log(base))

    low = max(math.floor(index_that_turns(rope.get("beta_fast", 32))), 0)
    high = min(math.ceil(index_that_turns(rope.get("beta_slow", 1))), dim - 1)
    ramp = np.clip((np.arange(dim // 2) - low) / max(high - low, 0.001), 0, 1)
    frequencies = plain(base, dim)
    blended = frequencies / factor * ramp + frequencies * (1 - ramp)
    if "attention_factor" in rope:
        return blended, rope["attention_factor"]
    if rope.get("mscale_all_dim"):
        return blended, yarn_magnitude(factor) / yarn_magnitude(factor, rope["mscale_all_dim"])
    return blended, yarn_magnitude(factor)


def longrope(rope, dim, context):
    """A divisor for each pair, from one table up to the original context and from another beyond it; one magnitude for
    both. Ding et al. 2024, arXiv:2402.13753, and Phi-3's published code."""
    old, new = rope["original_max_position_embeddings"], rope["max_position_embeddings"]
    factors = rope["long_factor"] if context > old else rope["short_factor"]
    stretch = new / old
    magnitude = 1.0 if stretch <= 1 else math.sqrt(1 + math.log(stretch) / math.log(old))
    return plain(rope["rope_theta"], dim) / np.array(factors, dtype=np.float64), magnitude


def frequencies(rope, dim, context):
    """(radians per position of each of dim/2 pairs, magnitude of the rotation) when `context` positions are in use."""
    kind = rope.get("rope_type", "default")
    if kind == "default":
        return plain(rope["rope_theta"], dim), 1.0
    return {"linear": linear, "llama3": llama3, "yarn": yarn, "longrope": longrope}[kind](rope, dim, context)
