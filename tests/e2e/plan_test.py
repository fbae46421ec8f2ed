"""`plan` and `devices`."""
from conftest import run, run_json


def test_devices():
    devices = run_json("devices")
    assert devices[-1]["kind"] == "cpu"
    assert devices[-1]["threads"] >= 1 and devices[-1]["memory_bytes"] > devices[-1]["free_bytes"] > 0
    assert devices[-1]["isa"] in run("devices", check=True).stdout


def test_plan(smollm2):
    plan = run_json("plan", smollm2, "--ctx", 1024)
    assert {step["layer"] for step in plan["steps"]} == set(range(-1, 30))
    attention = [step for step in plan["steps"] if step["op"] == "attention"]
    assert [step["layer"] for step in attention] == list(range(30))
    assert all(step["kernel"].startswith(plan["devices"][0]["isa"]) and step["reason"] for step in plan["steps"])
    memory = plan["memory"]
    # 1,024 positions of 30 layers with 3 heads of 64 for K and V in F16.
    assert memory["kv_cache"] == 1024 * 30 * 2 * 3 * 64 * 2
    assert memory["total"] == sum(memory[part] for part in ("weights", "kv_cache", "activations", "workspace"))


def test_plan_follows_flags(smollm2):
    small, large = (run_json("plan", smollm2, "--ctx", 1024, "--kv-type", kv_type)["memory"]["kv_cache"] for kv_type in ("q8_0", "f32"))
    assert large * 34 == small * 128  # 32 values: 34 bytes or 128
    generic = run_json("plan", smollm2, "--ctx", 64, env={"ROCMFORGE_CPU_ISA": "reference"})
    assert all(step["kernel"].startswith("reference") for step in generic["steps"])


def test_plan_for_people(gemma3, smollm2):
    """Layers that are alike are printed once: this file's differ in the formats of some weights only."""
    text = run("plan", gemma3, "--ctx", 1024, check=True).stdout
    assert "gemma3" in text and "KV cache" in text
    assert 1 <= text.count("\nlayer") == text.count("\n  attention ") <= 4
    assert "layers 0-29" in run("plan", smollm2, "--ctx", 64, check=True).stdout
