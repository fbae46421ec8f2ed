"""Whole models on the emulated GPU, through the same streams, plan and engine as on a real one, with waves of 32 and of 64 lanes."""
import json

import pytest
from conftest import model_path, needs_emulator, run
from divergence import divergence
from golden_data import best_agrees, read_jsonl

pytestmark = needs_emulator

DEVICES = ["emulated:0", "emulated:1", "emulated:2"]
N_POSITIONS = {"emulated:0": 24, "emulated:1": 12, "emulated:2": 24}  # seconds each
DIVERGENCE = 1e-5  # what the CPU's decoding is held to


@pytest.mark.parametrize("device", DEVICES)
def test_divergence(device, golden):
    n = N_POSITIONS[device]
    result = run("logits", model_path("smollm2"), "--device", device, "--require-gpu", "--ctx", 64, "--text-file", golden / "text.txt",
                 "--limit", n, "--top", 128, "--json", check=True, timeout=600)
    measured = [json.loads(line) for line in result.stdout.splitlines()]
    reference = read_jsonl(golden / "logits" / "smollm2.jsonl")[:n]
    assert [(line["pos"], line["token"]) for line in measured] == [(line["pos"], line["token"]) for line in reference]
    assert sum(map(divergence, reference, measured)) / n <= DIVERGENCE
    assert all(best_agrees(*pair) is not False for pair in zip(reference, measured))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("model", ["smollm2", "gemma3"])
def test_first_tokens(model, device):
    command = ["generate", model_path(model), "--ctx", 64, "-p", "The capital of France is", "-n", 3, "--temp", 0, "--device"]
    on_cpu = run(*command, "cpu", check=True).stdout
    assert on_cpu.strip()
    assert run(*command, device, "--require-gpu", "--verify-weights", check=True, timeout=600).stdout == on_cpu
