"""Shared by the end-to-end tests: they drive the real binary as a user or a client would.

ROCMFORGE_BINARY is the program (default build/release/rocmforge), ROCMFORGE_TEST_MODELS the folder with smollm2.gguf and
gemma3.gguf; a test that needs a model fails, not skips, when it is missing.
"""
import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))  # tests import what a tool computes, too

# In `env`: no GPU module is found, also on machines that have a GPU.
NO_MODULE = {"ROCMFORGE_GPU_MODULE": "/nowhere/librocmforge_hip.so"}


def binary():
    return os.environ.get("ROCMFORGE_BINARY", str(ROOT / "build/release/rocmforge"))


needs_emulator = pytest.mark.skipif(not pathlib.Path(binary()).with_name("librocmforge_emulated.so").exists(),
                                    reason="this build has no block emulator")


def run(*arguments, env=None, stdin=None, timeout=120, check=False, text=True):
    """Runs the program; returns CompletedProcess, with bytes instead of text if not `text`."""
    result = subprocess.run([binary(), *map(str, arguments)], input=stdin, capture_output=True, text=text, timeout=timeout,
                            env={**os.environ, **(env or {})})
    if check:
        assert result.returncode == 0, result.stderr
    return result


def run_json(*arguments, **options):
    return json.loads(run(*arguments, "--json", check=True, **options).stdout)


def run_jsonl(*arguments, lines, **options):
    text = "".join(json.dumps(line) + "\n" for line in lines)
    result = run(*arguments, "--jsonl", stdin=text, check=True, **options)
    return [json.loads(line) for line in result.stdout.split("\n") if line]  # splitlines() also splits at U+2028


def model_path(name):
    path = pathlib.Path(os.environ.get("ROCMFORGE_TEST_MODELS", ROOT / "build/models")) / f"{name}.gguf"
    assert path.exists(), f"{path} is missing: scripts/test.sh fetches it with `rocmforge pull {name}`"
    return path


@pytest.fixture(scope="session")
def smollm2():
    return model_path("smollm2")


@pytest.fixture(scope="session")
def gemma3():
    return model_path("gemma3")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A llama of two layers with random weights in Q4_0 (tests/tools/random_model.cc), for what needs no sense."""
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    subprocess.run([pathlib.Path(binary()).parent / "tests/rf_random_model", path, "tiny", "q4_0"], check=True)
    return path


@pytest.fixture(scope="session")
def golden():
    folder = pathlib.Path(os.environ.get("ROCMFORGE_GOLDEN", ROOT.parent / "shared/golden"))
    if not folder.is_dir():
        pytest.skip("the golden folder is not here (ROCMFORGE_GOLDEN)")
    return folder
