"""The command line itself: help, wrong options, closed and full streams, small limits. Rows C01 to C11 of the error catalogue."""
import json
import re
import resource
import subprocess

import pytest
from conftest import binary, run, run_json

COMMANDS = ["run", "generate", "bench", "pull", "models", "rm", "inspect", "plan", "devices", "doctor", "tokenize", "detokenize", "template",
            "logits", "perplexity"]


def is_refused(result, *words, code=2):
    assert result.returncode == code, result.stderr
    assert result.stdout == ""
    line = result.stderr.splitlines()[0]
    assert len(line) <= 300
    for word in words:
        assert word in line, line


def test_usage():
    is_refused(run())
    assert run("--version", check=True).stdout.startswith("rocmforge ")
    text = run("--help", check=True).stdout
    assert all(f"\n  {command} " in text for command in COMMANDS) and "Exit codes" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command):
    text = run(command, "--help", check=True).stdout
    assert f"Usage: rocmforge {command}" in text


@pytest.mark.parametrize("word, meant", [("rnu", "run"), ("tokenise", "tokenize"), ("inspct", "inspect")])
def test_a_misspelt_command(word, meant):
    result = run(word, "x")
    assert result.returncode == 2 and f"Did you mean '{meant}'" in result.stderr


def test_a_misspelt_flag():
    result = run("run", "smollm2", "hi", "--tmep", "1", stdin="")
    assert result.returncode == 2 and "Did you mean '--temp'" in result.stderr


NUMBERS = {"--threads": (1, 1024), "--ctx": (0, 1 << 24), "--prefill-chunk": (1, 65536), "--temp": (0, 100), "--top-p": (0, 1),
           "--min-p": (0, 1), "--top-k": (-1, 2**31 - 1), "--repeat-penalty": (0.01, 100), "-n": (0, 1 << 30), "--seed": (0, 2**64 - 1)}


@pytest.mark.parametrize("option", NUMBERS)
def test_numbers_out_of_range(option):
    low, high = NUMBERS[option]
    for value in ["", "abc", "1e30", "nan", "inf", "1x", low - 1, high + 1]:
        is_refused(run("run", "m", "hi", f"{option}={value}" if option != "-n" else f"-n{value}", stdin=""), option.lstrip("-")[:3])
    is_refused(run("run", "m", "hi", option, stdin=""))
    is_refused(run("run", "m", "hi", option, str(high), option, str(high), stdin=""))


@pytest.mark.parametrize("arguments", [["--device", "tpu"], ["--device", ""], ["--device", "cpu:x"], ["--kv-type", "q9"],
                                       ["--kv-type", ""], ["--activations", "fp8"], ["--activations", ""], ["--logit-bias", "1"], ["--no-such-flag"]])
def test_other_values(smollm2, arguments):
    is_refused(run("run", smollm2, "hi", *arguments, stdin=""))


def test_values_of_bench():
    for arguments in (["-p", "-1"], ["-p", "1,x"], ["-n", "1e30"], ["-b", "0"], ["-d", ""], ["-r", "0"], ["-p", "0", "-n", "0"]):
        is_refused(run("bench", "m", *arguments))


def test_conflicting_options(smollm2, tmp_path):
    (tmp_path / "t").write_text("x")
    is_refused(run("tokenize", smollm2, "text", "--text-file", tmp_path / "t"), "excludes")
    is_refused(run("tokenize", smollm2, "--json", "--jsonl", stdin=""), "excludes")
    is_refused(run("template", smollm2, "--template-file", tmp_path / "t"), "excludes")


@pytest.mark.parametrize("model", ["", "a\nb.gguf", "x" * 5000, "\x1b[31m", "ä 中/x.gguf", "no-such-model", "."])
def test_models_that_are_not_there(model):
    result = run("inspect", model)
    assert result.returncode in (2, 6)
    assert len(result.stderr.splitlines()[0]) <= 300 and "\x1b" not in result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["devices"], ["inspect", "MODEL"], ["run", "MODEL", "hi"],
                                       ["tokenize", "MODEL", "hi", "--json"]])
@pytest.mark.parametrize("where", [">/dev/full", ">&-", "| true"])
def test_output_that_cannot_be_written(smollm2, arguments, where):
    words = " ".join(f"'{smollm2}'" if word == "MODEL" else word for word in arguments)
    script = f"set -o pipefail; '{binary()}' {words} </dev/null {where}"
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60)
    # A pipe's reader may be gone before or after a short text was written.
    assert result.returncode in ((0, 6) if where == "| true" else (6,)), result.stderr


@pytest.mark.parametrize("command", [["tokenize", "--jsonl"], ["tokenize"], ["detokenize", "--jsonl"], ["generate"]])
def test_input_that_is_closed_empty_or_binary(smollm2, command):
    for redirect in ("<&-", "</dev/null", "<" + str(smollm2)):
        if command == ["generate"] and redirect != "<&-":
            continue  # a prompt that is empty or binary is text like any other
        script = f"head -c 65536 {redirect} 2>/dev/null | cat > /dev/null; '{binary()}' {command[0]} '{smollm2}' {' '.join(command[1:])} {redirect}"
        if redirect.endswith(".gguf"):
            script = f"head -c 65536 '{smollm2}' | '{binary()}' {command[0]} '{smollm2}' {' '.join(command[1:])}"
        result = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60)
        assert result.returncode in ((6,) if redirect == "<&-" else (0, 2)), (redirect, result.stderr)


def with_limits(*arguments, **limits):
    def limit():
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), (value, value))
    return subprocess.run([binary(), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          preexec_fn=limit)


def test_small_limits(smollm2):
    ask = ["run", smollm2, "hi", "-n", "4", "--ctx", "512"]
    assert with_limits(*ask, RLIMIT_NOFILE=64).returncode == 0
    assert with_limits(*ask, RLIMIT_AS=2 << 30).returncode == 0
    assert with_limits(*ask, RLIMIT_STACK=256 << 10).returncode == 0
    result = with_limits(*ask, RLIMIT_AS=150 << 20)
    assert result.returncode == 5 and "rocmforge:" in result.stderr, result.stderr


def test_weights_that_are_not_packed_need_no_memory(smollm2):
    """RLIMIT_DATA counts what a process may write to, so not the mapped file."""
    ask = ["generate", smollm2, "-p", "The capital of France is", "-n", "4", "--temp", "0", "--ctx", "64", "--prefill-chunk", "32", "--threads", "1"]
    limit = 72 << 20  # less than the packed weights, 93 MB
    result = with_limits(*ask, RLIMIT_DATA=limit)
    assert result.returncode == 5 and "rocmforge:" in result.stderr, result.stderr
    result = with_limits(*ask, "--no-repack", RLIMIT_DATA=limit)
    assert result.returncode == 0, result.stderr
    assert result.stdout == run(*ask, check=True).stdout
    packed, mapped = (run_json("plan", smollm2, "--ctx", 64, *flags)["memory"] for flags in ([], ["--no-repack"]))
    assert packed["weights"] > 80e6 and mapped["weights"] < 1e5
    assert mapped["weights_mapped"] > packed["weights_mapped"] + 80e6


@pytest.mark.parametrize("env", [{"HOME": ""}, {"HOME": "/proc/nowhere"}, {"LANG": "C", "LC_ALL": "C"}, {"TERM": "dumb"}, {"COLUMNS": "20"}])
def test_odd_surroundings(smollm2, env):
    result = run("run", smollm2, "hi", "-n", "4", "--temp", "0", stdin="", env=env, check=True)
    assert result.stdout and "\x1b" not in result.stdout + result.stderr


def test_errors_in_json_commands_leave_standard_output_empty(tmp_path):
    (tmp_path / "x.gguf").write_bytes(b"no")
    is_refused(run("inspect", tmp_path / "x.gguf", "--json"), code=3)
    assert json.loads(run("devices", "--json", check=True).stdout)
