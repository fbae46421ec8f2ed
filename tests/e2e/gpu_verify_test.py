"""tools/gpu_verify.py on the emulated GPU with a tiny random model, and what must make it fail. Most GoogleTest programs are fakes: they run
in tests of their own, and take minutes."""
import json
import os
import pathlib
import subprocess
import sys
import time

import pytest
from conftest import ROOT, binary, needs_emulator

from gpu_verify import compare_logits
from gpu_verify_log import Log
from gpu_verify_sanitize import N_SHARDS

pytestmark = needs_emulator

PROGRAMS = ["rf_hip_test", "rf_gpu_faults_test", "rf_conformance_test"]
SHORT = ["--n-prompts", 2, "--n-greedy", 2, "--n-decode", 2, "--n-positions", 2, "--n-bench", 2, "--n-repetitions", 1, "--batches", 1]


def fake(path, body):
    path.write_text(f"#!{sys.executable}\nimport json, sys, time\n{body}\n")
    path.chmod(0o755)


def fake_gtest(build, name, failures=(), code=0):
    case = {"classname": "Faults", "name": "Case", "result": "COMPLETED", "time": "0s", "failures": [{"failure": text} for text in failures]}
    report = {"testsuites": [{"testsuite": [case]}]}
    fake(build / name, f"""
path = next(flag for flag in sys.argv if flag.startswith("--gtest_output=json:")).split(":", 1)[1]
open(path, "w").write({json.dumps(json.dumps(report))})
sys.exit({code})""")


@pytest.fixture
def build(tmp_path):
    """A build folder with the real program and GoogleTest programs that pass."""
    (tmp_path / "rocmforge").symlink_to(pathlib.Path(binary()).resolve())
    for name in PROGRAMS:
        fake_gtest(tmp_path, name)
    return tmp_path


def verify(build, *arguments, device="emulated:0", timeout=600, path=None):
    """The exit code, and all that was written."""
    command = [sys.executable, ROOT / "tools/gpu_verify.py", "--build", build, "--log", build / "log.md", "--device", device, *SHORT,
               *arguments]
    env = {**os.environ, "PATH": os.pathsep.join(filter(None, [path and str(path), os.environ["PATH"]]))}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=timeout, env=env)
    return done.returncode, done.stdout + done.stderr


def failed(output):
    return [line[2:] for line in output[output.rindex(" failed"):].splitlines() if line.startswith("- ")]


@pytest.fixture(scope="session")
def mini(tmp_path_factory):
    """A llama of one layer with random weights."""
    path = tmp_path_factory.mktemp("models") / "mini.gguf"
    subprocess.run([pathlib.Path(binary()).parent / "tests/rf_random_model", path, "mini", "q4_0"], check=True)
    return path


def test_conformance_cases_are_counted(build):
    (build / "rf_conformance_test").unlink()
    (build / "rf_conformance_test").symlink_to(pathlib.Path(binary()).resolve().parent / "tests/rf_conformance_test")
    code, output = verify(build, "--cases", "*soft_cap_F32_emulated*", "--limit", 580)
    assert code == 0, output
    assert "| rf_conformance_test | pass | 4 passed, 0 failed, 0 skipped" in output


def test_all_parts_pass(build, mini):
    code, output = verify(build, mini, "--limit", 580)  # seconds: more than enough on a machine that does other work too
    assert code == 0, output
    assert failed(output) == []
    log = (build / "log.md").read_text()
    for words in ["- device: block emulator", "- commit: ", "# Run on a GPU, 20", "fault: Faults.Case | pass", "weights on the device are the file's | pass",
                  "ids do not depend on the batch | pass", "recorded steps equal plain ones | pass", "greedy texts as the CPU's | pass",
                  "logits as the CPU's | pass", "| GB/s read | of bandwidth | of peak |", "| pp2 |", "| tg2 |", "profile | |"]:
        assert words in log
    assert " checks, 0 failed" in log


def test_without_a_device(build):
    code, output = verify(build, device="absent:0")
    assert code == 1
    assert "there is no device absent:0: nothing was checked" in output
    assert not (build / "log.md").exists()


def test_without_a_program(build):
    (build / "rocmforge").unlink()
    code, output = verify(build)
    assert code == 1
    assert output.splitlines() == [f"{build / 'rocmforge'} is missing: scripts/gpu-verify.sh builds it, and all else that is needed"]


def test_models_that_cannot_be_made(build):
    fake(build / "rf_random_model", "sys.exit('no space')")
    code, output = verify(build, "--random-models", "mini")
    assert (code, failed(output)) == (1, ["random models"])
    assert "random-q4_k_m.gguf was not made: no space" in output


def test_sanitizers_need_no_models(build):
    fake(build / "rf_random_model", "sys.exit('not to be called')")
    fake(build / "compute-sanitizer", "print('========= ERROR SUMMARY: 0 errors')")
    code, output = verify(build, "--sanitize", "--random-models", "mini", path=build)
    assert code == 0, output
    assert "rf_random_model" not in output


def test_a_model_that_does_not_load(build):
    path = build / "broken.gguf"
    path.write_bytes(b"GGUF")
    code, output = verify(build, path)
    assert code == 1
    assert failed(output) == [f"broken.gguf: {what}" for what in ["weights on the device are the file's", "texts", "logits", "bench"]]


def test_a_failing_program(build):
    fake_gtest(build, "rf_conformance_test", failures=["off by one"], code=1)
    fake_gtest(build, "rf_gpu_faults_test", failures=["the device was not lost"], code=1)
    code, output = verify(build)
    assert code == 1
    assert failed(output) == ["fault: Faults.Case", "rf_gpu_faults_test", "rf_conformance_test"]
    assert "the device was not lost" in output


def test_a_program_without_a_report(build):
    fake(build / "rf_hip_test", "sys.exit(139)")
    code, output = verify(build)
    assert (code, failed(output)) == (1, ["rf_hip_test"])
    assert "ended with 139 and without a report" in output


def test_a_deadline_names_what_was_left_out(build, tiny):
    fake(build / "rf_conformance_test", "time.sleep(60)")
    started = time.monotonic()
    code, output = verify(build, tiny, "--limit", 2)
    assert time.monotonic() - started < 30
    assert code == 1
    assert "rf_conformance_test" in failed(output)
    assert "left out: not ended at its deadline" in output
    assert "tiny.gguf: bench" in failed(output)


@pytest.mark.parametrize("ours, is_good", [([[5, -0.1054], [6, -2.3026]], True), ([[5, -0.6931], [6, -0.6931]], False)])
def test_a_divergence_above_the_bound(ours, is_good):
    log = Log()
    reference = [{"pos": 0, "token": 1, "top": [[5, -0.1054], [6, -2.3026]]}]  # 0.9 and 0.1
    compare_logits(log, "logits", reference, [{"pos": 0, "token": 1, "top": ours}], 1e-4)
    assert log.failures == ([] if is_good else ["logits"])


def test_logits_of_other_tokens_are_not_compared():
    with pytest.raises(RuntimeError, match="other tokens"):
        compare_logits(Log(), "logits", [{"pos": 0, "token": 1, "top": [[5, 0.0]]}], [{"pos": 0, "token": 2, "top": [[5, 0.0]]}], 1)


@pytest.mark.parametrize("last_words, code, verdict", [("========= ERROR SUMMARY: 0 errors", 0, f"{N_SHARDS} clean, 0 errors, 0 unfinished"),
                                                       ("========= ERROR SUMMARY: 2 errors", 99, f"0 clean, {N_SHARDS} errors, 0 unfinished"),
                                                       ("", 0, f"0 clean, 0 errors, {N_SHARDS} unfinished")])
def test_sanitizers_count_by_their_own_summary(build, last_words, code, verdict):
    fake(build / "compute-sanitizer", f"print({last_words!r})\nsys.exit({code})")
    exit_code, output = verify(build, "--sanitize", path=build)
    assert exit_code == (0 if verdict.startswith(f"{N_SHARDS} clean") else 1)
    for tool in ["memcheck", "racecheck", "synccheck", "initcheck"]:
        assert f"compute-sanitizer {tool}" in output
    assert output.count(verdict) == 4
