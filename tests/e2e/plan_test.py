"""`plan` and `devices`."""
from conftest import needs_emulator, run, run_json


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


def variants_of(plan, op):
    """{(batch, first, last): variant} of the first step of an op."""
    step = next(step for step in plan["steps"] if step["op"] == op)
    return {(it["batch"], it["first_tokens"], it["last_tokens"]): it["variant"] for it in step["variants"]}


def test_variants_of_the_cpu(smollm2):
    """The forms of a product by rows, as docs/cpu-kernels.md has them: few rows unpack in registers, many once for all."""
    arguments = ["plan", smollm2, "--ctx", 64, "--parallel", 2]
    plan = run_json(*arguments, env={"ROCMFORGE_CPU_ISA": "avx2"})
    found = variants_of(plan, "matmul")
    assert found[("single_tokens", 1, 2)] == "packed panels"
    assert {key[0]: value for key, value in found.items()}["prompt"] == "unpacked panels"
    assert not variants_of(plan, "rms_norm")
    assert "variants by the size of a batch" in run(*arguments, check=True).stdout
    generic = run_json(*arguments, env={"ROCMFORGE_CPU_ISA": "reference"})
    assert all(not step["variants"] for step in generic["steps"])


@needs_emulator
def test_variants_of_a_gpu(smollm2):
    """With matrix instructions: products of up to 32 rows by slices, of more by tiles; attention of single tokens, of prompts."""
    arguments = ["plan", smollm2, "--ctx", 64, "--parallel", 4, "--no-prefix-cache", "--device"]
    plan = run_json(*arguments, "emulated:0")
    assert variants_of(plan, "matmul")[("single_tokens", 1, 4)] == "slices"
    assert variants_of(plan, "matmul")[("prompt", 33, 68)] == "tiles"
    attention = variants_of(plan, "attention")
    assert attention[("single_tokens", 1, 4)] == "matrices of few queries" and attention[("prompt", 6, 68)] == "matrices"
    assert variants_of(plan, "matmul, glu")[("single_tokens", 1, 1)] == "both at once"
    assert set(variants_of(run_json(*arguments, "emulated:0", "--kv-type", "f32"), "attention").values()) == {"F32"}
    plan = run_json(*arguments, "emulated:2")  # without matrix instructions
    assert set(variants_of(plan, "matmul").values()) == {"integers"} and set(variants_of(plan, "attention").values()) == {"F32"}


def test_plan_for_people(gemma3, smollm2):
    """Layers that are alike are printed once: this file's differ in the formats of some weights only."""
    text = run("plan", gemma3, "--ctx", 1024, check=True).stdout
    assert "gemma3" in text and "KV cache" in text
    assert 1 <= text.count("\nlayer") == text.count("\n  attention ") <= 4
    assert "layers 0-29" in run("plan", smollm2, "--ctx", 64, check=True).stdout
