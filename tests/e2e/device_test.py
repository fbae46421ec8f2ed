"""`--device`, `--require-gpu` and what is said where there is no GPU. No GPU and no module is needed: that is what is tested."""
import pytest
from conftest import NO_MODULE, run, run_json


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
