"""Every architecture against an independent computation: tiny random models are written as GGUF, run by the program on every
instruction set, and compared with numpy in float64 (numpy_model.py), position by position over the whole vocabulary.
"""
import json
import os
import pathlib
import subprocess
from dataclasses import replace

import numpy as np
import pytest

import gguf_export
from configs import CASES, VOCABULARY
from numpy_model import NumpyModel
from weights import draw, shapes

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = pathlib.Path(os.environ.get("ROCMFORGE_BINARY", ROOT / "build/release/rocmforge")).resolve()
EMULATED_GPU = BINARY.parent / "librocmforge_emulated.so"
GRAPH_LOGITS = BINARY.parent / "tests/rf_graph_logits"

# What each instruction set of src/cpu/isa.def needs, as Linux names it.
AVX512_FLAGS = {"avx512f", "avx512bw", "avx512dq", "avx512vl"}
ISA_FLAGS = {"reference": set(), "generic": set(), "avx2": {"avx2", "fma", "f16c"}, "avx512": AVX512_FLAGS,
             "avx2_vnni": {"avx2", "fma", "f16c", "avx_vnni"}, "avx512_vnni": AVX512_FLAGS | {"avx512_vnni"},
             "amx": AVX512_FLAGS | {"avx512_vnni", "amx_tile", "amx_bf16"},
             "neon": {"asimd"}, "neon_dotprod": {"asimd", "asimddp"}}

# Natural logarithms, F32 weights and F32 cache. The bound that is promised is 2e-3; what is left is F32 rounding.
TOLERANCE = 1e-4


def cpu_flags():
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith("flags"):
            return set(line.split())
    return set()


class TinyModel:
    """A case's file, its tokens, and what the independent computation says about them."""

    def __init__(self, case, folder):
        self.case = case
        self.weights = draw(case.config, case.name)
        self.tokens = np.random.default_rng(7).integers(0, VOCABULARY, case.n_tokens)
        self.expected = NumpyModel(case.config, self.weights).log_probabilities(self.tokens, case.context)
        self.path = folder / f"{case.name}.gguf"
        gguf_export.write(self.path, case.config, self.weights)

    @property
    def token_list(self):
        return ",".join(map(str, self.tokens))


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def tiny(request, tmp_path_factory):
    return TinyModel(request.param, tmp_path_factory.mktemp("arch"))


def run(*command, env=None):
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, env={**os.environ, **(env or {})})
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def log_softmax(x):
    largest = x.max(axis=-1, keepdims=True)
    return x - largest - np.log(np.exp(x - largest).sum(axis=-1, keepdims=True))


def test_case_can_fail(tiny):
    """What the case is about shows: without it the independent computation itself says something else."""
    changed = replace(tiny.case.config, **tiny.case.without)
    weights = {name: tiny.weights[name] for name in shapes(changed)}
    other = NumpyModel(changed, weights).log_probabilities(tiny.tokens, tiny.case.context)
    assert np.abs(other - tiny.expected).max() > 1000 * TOLERANCE


def test_graph(tiny):
    """The graph alone, walked with the ops' references: no plan, no kernels."""
    lines = run(GRAPH_LOGITS, tiny.path, tiny.token_list, tiny.case.ctx)
    actual = log_softmax(np.array([line["logits"] for line in lines]))
    assert actual.shape == tiny.expected.shape
    assert np.abs(actual - tiny.expected).max() <= TOLERANCE


@pytest.mark.parametrize("isa", ISA_FLAGS)
def test_program(tiny, isa):
    if not ISA_FLAGS[isa] <= cpu_flags():
        pytest.skip(f"this CPU has no {isa}")
    check_program(tiny, env={"ROCMFORGE_CPU_ISA": isa})


@pytest.mark.parametrize("layers", ["0", "1", "half", "all"])
def test_layers_on_a_gpu(tiny, layers):
    """The last layers on the block emulator, the others on the CPU."""
    if not EMULATED_GPU.exists():
        pytest.skip("this build has no block emulator")
    n_layers = tiny.case.config.n_layers
    n = {"half": n_layers // 2, "all": n_layers}.get(layers) if not layers.isdigit() else int(layers)
    check_program(tiny, "--device", "emulated:0", "--gpu-layers", n)


def check_program(tiny, *flags, env=None):
    context = ["--ctx", tiny.case.ctx] if tiny.case.ctx else []
    lines = run(BINARY, "logits", tiny.path, "--tokens", tiny.token_list, "--top", VOCABULARY, "--kv-type", "f32", *context,
                *flags, "--json", env=env)
    assert [line["pos"] for line in lines] == list(range(len(tiny.tokens)))
    assert [line["token"] for line in lines] == list(tiny.tokens)
    actual = np.full(tiny.expected.shape, np.nan)
    for line in lines:
        for token, log_probability in line["top"]:
            actual[line["pos"], token] = log_probability
    difference = np.abs(actual - tiny.expected)
    assert difference.max() <= TOLERANCE, f"position {difference.max(axis=-1).argmax()} is the worst"
