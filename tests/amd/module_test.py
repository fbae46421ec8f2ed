"""The module as it is built for AMD's GPUs, opened by the real program on a machine without one. Called by scripts/check-amd-module.sh, which
builds it and says in the environment where it lies."""
import os
import pathlib
import subprocess

import pytest

MODULE = os.environ["ROCMFORGE_GPU_MODULE"]
COMMAND = ["generate", os.environ["ROCMFORGE_TEST_MODEL"], "-p", "Once", "-n", "3", "--temp", "0", "--ctx", "64"]


def run(*arguments, arch=None, runtime=True):
    env = {**os.environ, **({"STUB_HIP_ARCH": arch} if arch else {})}
    if runtime:
        env["LD_LIBRARY_PATH"] = str(pathlib.Path(MODULE).parent)
    return subprocess.run([os.environ["ROCMFORGE_BINARY"], *arguments], env=env, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def on_cpu():
    return run(*COMMAND, "--device", "cpu").stdout


@pytest.mark.parametrize("arch, runtime, sentence", [
    (None, False, "the HIP runtime cannot be loaded"),
    (None, True, "HIP finds no GPU"),
    ("gfx803", True, "is a gfx803, this build has kernels for gfx1100 only"),
    ("gfx1100", True, "adds wrongly and is not used"),  # whose kernels do nothing
])
def test_what_cannot_be_used_is_named_and_the_cpu_answers(on_cpu, arch, runtime, sentence):
    answer = run(*COMMAND, arch=arch, runtime=runtime)
    assert on_cpu and (answer.returncode, answer.stdout) == (0, on_cpu)
    assert sentence in run("devices", arch=arch, runtime=runtime).stdout
    required = run(*COMMAND, "--require-gpu", arch=arch, runtime=runtime)
    assert required.returncode == 4 and required.stdout == "" and sentence in required.stderr
