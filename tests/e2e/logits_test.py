"""Logits and perplexity of both models over a real text, against exact ones (F32 arithmetic on the dequantized weights)."""
import json
import math

import pytest
from conftest import model_path, run, run_json
from divergence import divergence
from golden_data import best_agrees, read_jsonl

N_POSITIONS = 1024
N_REFERENCE_POSITIONS = 48

# Perplexity of llama.cpp itself on the same quantized files: we are never worse. Of its mean divergence (2.5e-3 and 4.0e-3) we allow a
# quarter to the setting that trades exactness for speed, and nearly nothing otherwise.
LLAMA_CPP = {"smollm2": 16.981, "gemma3": 13.226}
DIVERGENCE = 1e-5
BFLOAT16_DIVERGENCE = {"smollm2": 6.2e-4, "gemma3": 1.0e-3}
EXACT_PERPLEXITY = {"smollm2": 16.883, "gemma3": 13.143}
REFERENCE_DIVERGENCE = 1e-6
N_ISA_POSITIONS = 128
MODELS = sorted(LLAMA_CPP)


def logits(model, text, limit, top, *flags, **options):
    result = run("logits", model_path(model), "--text-file", text, "--limit", limit, "--top", top, "--json", *flags, check=True,
                 timeout=300, **options)
    return [json.loads(line) for line in result.stdout.splitlines()]


def compare(golden, measured):
    """Mean divergence, and how often the best token agrees where that can be told."""
    assert [(line["pos"], line["token"]) for line in measured] == [(line["pos"], line["token"]) for line in golden]
    agreements = [agrees for pair in zip(golden, measured) if (agrees := best_agrees(*pair)) is not None]
    return sum(map(divergence, golden, measured)) / len(golden), sum(agreements) / len(agreements)


@pytest.mark.parametrize("model", MODELS)
def test_divergence(model, golden):
    reference = read_jsonl(golden / "logits" / f"{model}.jsonl")
    assert len(reference) == N_POSITIONS
    mean, agreement = compare(reference, logits(model, golden / "text.txt", N_POSITIONS, 128))
    assert mean <= DIVERGENCE
    assert agreement >= 0.99


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("isa", ["generic", "avx2", "avx2_vnni", "avx512", "avx512_vnni", "amx"])
def test_divergence_of_each_instruction_set(model, isa, golden):
    devices = run("devices", env={"ROCMFORGE_CPU_ISA": isa})
    if devices.returncode != 0:
        pytest.skip(f"this machine does not run {isa}: {devices.stderr.strip()}")
    reference = read_jsonl(golden / "logits" / f"{model}.jsonl")[:N_ISA_POSITIONS]
    for chunk in (N_ISA_POSITIONS, 1):  # as a prompt, and one token at a time
        measured = logits(model, golden / "text.txt", N_ISA_POSITIONS, 128, "--isa", isa, "--prefill-chunk", chunk)
        mean, agreement = compare(reference, measured)
        assert mean <= DIVERGENCE
        assert agreement == 1.0


@pytest.mark.parametrize("model", MODELS)
def test_divergence_with_activations_in_bfloat16(model, golden):
    plan = run("plan", model_path(model), "--activations", "bf16", check=True)
    if "--activations bf16 has no effect" in plan.stderr:
        pytest.skip("this machine's instruction set has no kernels in bfloat16")
    reference = read_jsonl(golden / "logits" / f"{model}.jsonl")
    mean, agreement = compare(reference, logits(model, golden / "text.txt", N_POSITIONS, 128, "--activations", "bf16"))
    assert 1e-5 <= mean <= BFLOAT16_DIVERGENCE[model]  # less would mean that nothing was rounded
    assert agreement >= 0.98


@pytest.mark.parametrize("model", MODELS)
def test_divergence_of_weights_that_are_not_packed(model, golden):
    reference = read_jsonl(golden / "logits" / f"{model}.jsonl")[:N_REFERENCE_POSITIONS]
    measured = logits(model, golden / "text.txt", N_REFERENCE_POSITIONS, 128, "--no-repack")
    mean, agreement = compare(reference, measured)
    assert mean <= REFERENCE_DIVERGENCE
    assert agreement == 1.0


@pytest.mark.parametrize("model", MODELS)
def test_divergence_of_reference_kernels(model, golden):
    reference = read_jsonl(golden / "logits" / f"{model}.jsonl")[:N_REFERENCE_POSITIONS]
    measured = logits(model, golden / "text.txt", N_REFERENCE_POSITIONS, 128, env={"ROCMFORGE_CPU_ISA": "reference"})
    mean, agreement = compare(reference, measured)
    assert mean <= REFERENCE_DIVERGENCE
    assert agreement == 1.0


@pytest.mark.parametrize("model", MODELS)
def test_perplexity(model, golden):
    result = run_json("perplexity", model_path(model), "-f", golden / "text.txt", timeout=400)
    assert result["ppl"] <= LLAMA_CPP[model]
    assert result["ppl"] == pytest.approx(EXACT_PERPLEXITY[model], rel=1e-3)
    assert result["chunks"] == 28
    assert result["tokens"] == 28 * 255  # of 512: the second half without its first token
    assert 0.4 < result["stderr"] < 0.6


def test_distribution_adds_up(smollm2):
    """Over the whole vocabulary the probabilities are one, and the list is sorted."""
    result = run("logits", smollm2, "--tokens", "504,3575", "--top", 1000000, "--json", check=True)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["token"] for line in lines] == [504, 3575]
    for line in lines:
        assert len(line["top"]) == 49152
        assert sum(math.exp(logprob) for _, logprob in line["top"]) == pytest.approx(1.0, abs=1e-4)
        keys = [(-logprob, token) for token, logprob in line["top"]]
        assert all(a[0] <= b[0] for a, b in zip(keys, keys[1:]))


def test_perplexity_of_short_text_is_refused(smollm2, tmp_path):
    text = tmp_path / "short.txt"
    text.write_text("Too short.")
    result = run("perplexity", smollm2, "-f", text)
    assert result.returncode == 2
    assert "fewer than one chunk of 512" in result.stderr
