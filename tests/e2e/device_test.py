"""`--device`, `--require-gpu` and what is said where there is no GPU. No GPU and no module is needed: that is what is tested.
`--gpu-layers`, with the block emulator as the GPU."""
import pytest
from conftest import NO_MODULE, needs_emulator, run, run_json


def refusal(code, *arguments, env=None):
    """The one line on stderr of a command that fails with this exit code."""
    result = run(*arguments, env=env or NO_MODULE, stdin="")
    assert result.returncode == code, result.stderr
    assert result.stdout == "" and len(result.stderr.splitlines()) == 1 and len(result.stderr) <= 300
    return result.stderr


@pytest.mark.parametrize("device", ["hip", "hip:0", "emulated", "emulated:1"])
def test_a_named_device_without_a_module(smollm2, device):
    assert "ROCMFORGE_GPU_MODULE names '/nowhere/librocmforge_hip.so'" in refusal(4, "plan", smollm2, "--device", device)


def test_a_file_that_is_no_module(smollm2, tmp_path):
    (tmp_path / "text.so").write_text("text")
    for device in ("hip", "emulated"):
        line = refusal(4, "plan", smollm2, "--device", device, env={"ROCMFORGE_GPU_MODULE": str(tmp_path / "text.so")})
        assert "text.so" in line or "HIP runtime" in line


def test_no_such_device(smollm2):
    assert "this machine has 1 of kind cpu" in refusal(4, "plan", smollm2, "--device", "cpu:1")


def test_a_gpu_that_is_required(smollm2):
    assert "--require-gpu: the CPU is not used instead" in refusal(4, "plan", smollm2, "--require-gpu")
    assert "is no GPU" in refusal(2, "plan", smollm2, "--require-gpu", "--device", "cpu")


def test_auto_goes_on_with_the_cpu(smollm2):
    plan = run_json("plan", smollm2, "--ctx", 64, env=NO_MODULE)
    assert [device["device"] for device in plan["devices"]] == ["cpu"]
    assert {step["device"] for step in plan["steps"]} == {"cpu"}


def test_devices_says_what_is_not_used():
    result = run("devices", env=NO_MODULE, check=True)
    assert "not used: hip: ROCMFORGE_GPU_MODULE names" in result.stdout
    assert [device["kind"] for device in run_json("devices", env=NO_MODULE)] == ["cpu"]


def test_layers_without_a_gpu(smollm2):
    result = run("plan", smollm2, "--ctx", 64, "--gpu-layers", 4, "--json", env=NO_MODULE, check=True)
    assert "--gpu-layers 4 has no effect: there is no GPU" in result.stderr
    assert "--gpu-layers 0" in refusal(2, "plan", smollm2, "--gpu-layers", 0, "--require-gpu")
    for wrong in ("x", -1, "1.5", ""):
        assert run("plan", smollm2, "--gpu-layers", wrong, stdin="").returncode == 2


@needs_emulator
@pytest.mark.parametrize("flag", ["--gpu-layers", "-ngl", "--n-gpu-layers"])
def test_layers_on_a_gpu(smollm2, flag):
    arguments = ["plan", smollm2, "--ctx", 64, "--device", "emulated:0", "--require-gpu", flag, 10]
    plan = run_json(*arguments)
    assert [(part["device"], part["first_layer"], part["last_layer"]) for part in plan["parts"]] == [("cpu", 0, 19), ("emulated:0", 20, 29)]
    assert {step["device"] for step in plan["steps"] if step["layer"] >= 20} == {"emulated:0"}
    assert plan["memory"]["total"] == sum(part["memory"]["total"] for part in plan["parts"])
    result = run(*arguments, check=True)
    assert "layers 0-19 on cpu, layers 20-29 and the output on emulated:0: --gpu-layers 10" in result.stderr
    assert "layers 20-29 on emulated:0" in result.stdout


@needs_emulator
def test_all_and_no_layers(smollm2):
    for n, device in ((0, "cpu"), (30, "emulated:0"), (99, "emulated:0")):
        plan = run_json("plan", smollm2, "--ctx", 64, "--device", "emulated:0", "--gpu-layers", n)
        assert {step["device"] for step in plan["steps"]} == {device}


@needs_emulator
def test_a_divided_model_writes_the_same(smollm2):
    """Kernels of both round differently; these few tokens are not near a tie."""
    command = ["generate", smollm2, "--ctx", 64, "-p", "The capital of France is", "-n", 6, "--temp", 0, "--device"]
    assert run(*command, "emulated:0", "--gpu-layers", 1, check=True).stdout == run(*command, "cpu", check=True).stdout
