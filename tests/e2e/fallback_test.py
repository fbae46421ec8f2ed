"""What a machine does whose GPU cannot be used: one sentence that says why, and the CPU's answer; with --require-gpu an exit code. The
modules and runtimes are small libraries of the tests with one fault each, the program is the real one."""
import pathlib
import shutil

import pytest
from conftest import binary, run, run_json

FAKES = pathlib.Path(binary()).parent / "src/hip/fake_modules"
COMMAND = ("generate", "-p", "The capital of France is", "-n", 3, "--temp", 0, "--ctx", 64)


def module(name):
    path = FAKES / name / "librocmforge_hip.so"
    assert path.exists(), "build the tests of src/hip"
    return path


@pytest.fixture(scope="module")
def on_cpu(model):
    return run(*COMMAND, model, "--device", "cpu", check=True).stdout


@pytest.fixture(scope="module")
def model(smollm2):
    return smollm2


def runtime_folder(folder, library):
    """A folder with libamdhip64.so.6, for LD_LIBRARY_PATH: a copy of `library`, or a text."""
    target = folder / "libamdhip64.so.6"
    if library is None:
        target.write_text("not a library")
    else:
        shutil.copy(library, target)
    return folder


def refused(model, env):
    """The one line with which --require-gpu ends."""
    result = run(*COMMAND, model, "--require-gpu", env=env, stdin="")
    assert result.returncode == 4, result.stderr
    assert result.stdout == "" and len(result.stderr.splitlines()) == 1
    return result.stderr


GPU_FACTS = {"memory_bytes": 2 << 30, "free_bytes": 1 << 30, "wave_size": 32, "compute_units": 4, "lds_bytes": 65536,
             "integrated": False, "driver_version": "6.4.43484", "runtime_version": "6.4.43482"}
FAULTS = {
    "no module": ("nowhere", "", "ROCMFORGE_GPU_MODULE names"),
    "no runtime": ("no_device", "none", "the HIP runtime cannot be loaded"),
    "a broken runtime": ("no_device", "text", "libamdhip64.so.6"),
    "no device": ("no_device", "runtime", "HIP finds no GPU"),
    "an old driver": ("old_driver", "runtime", "update the GPU's driver"),
    "a module of other sources": ("wrong_version", "runtime", "is of another version of this program"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_cpu_answers(model, on_cpu, tmp_path, fault):
    name, runtime, sentence = FAULTS[fault]
    env = {"ROCMFORGE_GPU_MODULE": str(FAKES / name / "librocmforge_hip.so")}
    if runtime in ("text", "runtime"):
        env["LD_LIBRARY_PATH"] = str(runtime_folder(tmp_path, None if runtime == "text" else FAKES / "runtime.so"))
    assert run(*COMMAND, model, env=env, check=True).stdout == on_cpu
    assert sentence in refused(model, env)
    assert sentence in run("devices", env=env, check=True).stdout


def test_a_device_that_works_is_used(model, on_cpu):
    env = {"ROCMFORGE_GPU_MODULE": str(module("shim"))}
    text = run("devices", env=env, check=True).stdout
    assert "hip:0      Shim GPU" in text
    assert "waves of 32, 4 compute units, 64 KiB of LDS for a block, its own memory; driver 6.4.43484, runtime 6.4.43482" in text
    gpu = run_json("devices", env=env)[0]
    assert {key: gpu[key] for key in GPU_FACTS} == GPU_FACTS
    assert "versions" in run("doctor", env=env).stdout
    assert run(*COMMAND, model, "--require-gpu", env=env, check=True).stdout == on_cpu


def test_a_device_that_computes_wrongly(model, on_cpu):
    env = {"ROCMFORGE_GPU_MODULE": str(module("shim")), "RF_SHIM_WRONG_OP": "attention"}
    result = run(*COMMAND, model, env=env, check=True)
    assert result.stdout == on_cpu
    assert "warning: not used: hip:0: 'Shim GPU' (gfx1100) computes a small model wrongly" in result.stderr
    assert "computes a small model wrongly" in refused(model, env)
    doctor = run("doctor", env=env).stdout
    assert "hip:0 is not used: 'Shim GPU' (gfx1100) computes a small model wrongly" in doctor, doctor


def shim(**settings):
    return {"ROCMFORGE_GPU_MODULE": str(module("shim")), **{f"RF_SHIM_{name.upper()}": str(value) for name, value in settings.items()}}


def test_d02_two_chips_of_which_one_has_kernels(model, on_cpu):
    """The one that the module has code for is used, the other named with what the build has."""
    env = shim(devices=2, last_arch="gfx803", targets="gfx1030 gfx11-generic")
    text = run("devices", env=env, check=True).stdout
    assert "hip:0      Shim GPU" in text
    assert "hip:1: Shim GPU is a gfx803, this build has kernels for gfx1030 gfx11-generic only" in text
    assert run(*COMMAND, model, "--require-gpu", env=env, check=True).stdout == on_cpu
    only = run(*COMMAND, model, "--device", "hip:1", env=env, stdin="")
    assert only.returncode == 4 and "gfx803" in only.stderr


def test_d03_a_model_that_is_too_large(model, on_cpu):
    """Refused with the numbers where the GPU must take it; divided where the CPU may help."""
    env = shim(free=64 << 20)
    result = run(*COMMAND, model, "--require-gpu", env=env, stdin="")
    assert result.returncode == 5 and "hip:0 has 64 MiB free (4 set aside), needed: weights " in result.stderr, result.stderr
    assert run(*COMMAND, model, env=env, check=True).stdout == on_cpu


def test_d03_memory_that_is_said_to_be_free_and_is_not(model, on_cpu):
    """Fewer layers, with a warning; never with a number of layers that was asked for."""
    env = shim(capacity=100 << 20)
    result = run(*COMMAND, model, env=env, check=True)
    assert result.stdout == on_cpu
    assert "hip:0: 1024 MiB were said to be free, " in result.stderr and "on hip:0" in result.stderr, result.stderr
    assert run(*COMMAND, model, "--gpu-layers", 99, env=env, stdin="").returncode == 5
    assert run(*COMMAND, model, "--require-gpu", env=env, stdin="").returncode == 5


def test_d15_no_pinned_memory(model, on_cpu):
    result = run(*COMMAND, model, "--require-gpu", env=shim(no_pinned=1), check=True)
    assert result.stdout == on_cpu


def test_d15_more_free_memory_than_there_is(model, on_cpu):
    assert run(*COMMAND, model, "--require-gpu", env=shim(free=1 << 50), check=True).stdout == on_cpu


@pytest.mark.parametrize("call", [5, 100, 1000])
def test_a_call_that_takes_long(model, on_cpu, call):
    result = run(*COMMAND, model, "--require-gpu", env=shim(delay_at=call, delay_ms=300), check=True)
    assert result.stdout == on_cpu


@pytest.mark.parametrize("call", [0, 1, 3, 10, 40, 200])
def test_a_runtime_that_fails_from_a_call_on(model, on_cpu, call):
    """Finding the device, testing it, comparing it, loading: wherever it fails, the CPU takes over."""
    env = {"ROCMFORGE_GPU_MODULE": str(module("shim")), "RF_SHIM_FAIL_AT": str(call)}
    result = run(*COMMAND, model, env=env)
    assert result.returncode == 0, result.stderr
    assert result.stdout == on_cpu
    assert call == 0 or "hipErrorLaunchFailure (719)" in result.stderr
    assert "hipErrorLaunchFailure (719)" in refused(model, env)
