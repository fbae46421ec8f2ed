#!/usr/bin/env python3
"""Writes frequencies.jsonl beside itself: rotary frequencies of published models' configurations, computed by
tests/arch/numpy_rope.py, which shares nothing with src/. A line is {"name", "parameters", "factors", "magnitude",
"frequencies"}; "parameters" are what a GGUF file of the model says. Needs numpy."""
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "arch"))
from numpy_rope import frequencies  # noqa: E402

LLAMA31 = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
           "original_max_position_embeddings": 8192}
LLAMA32 = {**LLAMA31, "factor": 32.0}
YARN = {"rope_type": "yarn", "rope_theta": 1e6, "factor": 4.0, "original_max_position_embeddings": 32768}
SHORT = [1.0 + 0.01 * j for j in range(48)]
LONG = [1.0 + 0.5 * j for j in range(48)]
LONGROPE = {"rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 4096,
            "max_position_embeddings": 131072, "short_factor": SHORT, "long_factor": LONG}

# name, configuration, rotating elements of a head, context in use
CASES = [
    ("llama 2", {"rope_theta": 10000.0}, 128, 4096),
    ("smollm2", {"rope_theta": 100000.0}, 64, 8192),
    ("odd dimension", {"rope_theta": 10000.0}, 6, 64),
    ("linear 8", {"rope_type": "linear", "rope_theta": 1e6, "factor": 8.0}, 256, 131072),
    ("llama 3.1", LLAMA31, 128, 131072),
    ("llama 3.2", LLAMA32, 64, 131072),
    ("qwen 2.5 yarn", YARN, 128, 131072),
    ("yarn, factor 40, 4096", {**YARN, "rope_theta": 10000.0, "factor": 40.0, "original_max_position_embeddings": 4096}, 64, 163840),
    ("yarn, own bounds", {**YARN, "beta_fast": 16.0, "beta_slow": 2.0}, 128, 131072),
    ("yarn, bounds meet", {**YARN, "rope_theta": 1e12, "beta_fast": 1.0, "beta_slow": 1.0}, 2, 131072),
    ("yarn, attention factor", {**YARN, "attention_factor": 1.25}, 128, 131072),
    ("yarn, mscale_all_dim", {**YARN, "mscale_all_dim": 0.5}, 128, 131072),
    ("phi 3 mini 128k, long", LONGROPE, 96, 131072),
    ("phi 3 mini 128k, short", LONGROPE, 96, 4096),
]


def parameters(rope, dim):
    kind = {"default": "none", "llama3": "none"}.get(rope.get("rope_type", "default"), rope.get("rope_type"))
    out = {"dim": dim, "base": rope["rope_theta"], "scaling": kind}
    if kind in ("linear", "yarn"):
        out["factor"] = rope["factor"]
    renamed = {"original_max_position_embeddings": "original_context", "max_position_embeddings": "stretched_context",
               "beta_fast": "yarn_beta_fast", "beta_slow": "yarn_beta_slow", "attention_factor": "yarn_attention_factor",
               "mscale_all_dim": "yarn_log_multiplier"}
    out.update({new: rope[old] for old, new in renamed.items() if old in rope})
    return out


def main():
    with open(HERE / "frequencies.jsonl", "w", encoding="utf-8") as out:
        for name, rope, dim, context in CASES:
            values, magnitude = frequencies(rope, dim, context)
            factors = []
            if rope.get("rope_type") == "llama3":  # the file stores how much slower than plain each pair turns
                plain, _ = frequencies({"rope_theta": rope["rope_theta"]}, dim, context)
                factors = list(plain / values)
            elif rope.get("rope_type") == "longrope":
                factors = LONG if context > rope["original_max_position_embeddings"] else SHORT
            json.dump({"name": name, "parameters": parameters(rope, dim), "factors": factors, "magnitude": magnitude,
                       "frequencies": list(values)}, out)
            out.write("\n")


if __name__ == "__main__":
    main()
