"""`bench`: its rows, what they are put in relation to, and the profile."""
import csv
import io
import re

import pytest
from conftest import needs_emulator, run, run_json

# Of the tiny model: 2 layers of 512 x (512 + 128 + 128 + 512 + 3 x 1024) weights, 2,048 rows of output.
LAYER_WEIGHTS = 512 * (512 + 128 + 128 + 512 + 3 * 1024)
OUTPUT_WEIGHTS = 512 * 2048


def check_peak(row):
    assert row["operations_per_token"] == 2 * 2 * LAYER_WEIGHTS
    assert abs(row["pct_peak"] - 100 * row["operations_per_token"] * row["avg_ts"] / row["peak"]) < 1e-9


def test_the_shape_of_llama_bench(tiny):
    rows = run_json("bench", tiny, "-p", "64", "-n", "8", "-r", "2", "-b", "1,2", "-d", "0,32")
    assert [row["test"] for row in rows] == ["pp64", "tg8", "pp64 @ d32", "tg8 @ d32"] + [
        name + " x 2" for name in ("pp64", "tg8", "pp64 @ d32", "tg8 @ d32")]
    for row in rows:
        assert row["avg_ts"] > 0 and row["stddev_ts"] >= 0 and len(row["samples_ts"]) == 2
        assert (row["n_prompt"] > 0) != (row["n_gen"] > 0)
        assert row["bytes_per_token"] > 0 and row["pct_bandwidth"] > 0 and "profile" not in row
        if row["n_gen"] > 0:
            assert row["pct_peak"] is None and "memory" in row["pct_peak_reason"]
            continue
        assert row["peak_of"] and 0 < row["pct_peak"] < 200  # the machine may be busy while one of the two is measured
        check_peak(row)
    names = [row["test"] for row in run_json("bench", tiny, "-p", "128", "-n", "2", "-r", "1", "-b", "16")]
    assert names == ["pp128 x 16", "tg2 x 16"]
    table = run("bench", tiny, "-p", "32", "-n", "4", "-r", "1", check=True).stdout
    assert re.search(r"\| +pp32 \| +[0-9.]+ ± [0-9.]+ \|", table) and re.search(r"\| +tg4 \|", table)


def test_a_decoding_step_reads_the_file_once(smollm2):
    """A little less than the file, whose embedding is also the output matrix."""
    row, = run_json("bench", smollm2, "-p", 0, "-n", 2, "-r", 1)
    assert 0.9 < row["bytes_per_token"] / smollm2.stat().st_size < 1.05


def test_a_prompt_and_what_follows_in_one_test(tiny):
    row, = run_json("bench", tiny, "-p", 0, "-n", 0, "--pg", "32,8", "-r", 1, "-b", 2)
    assert (row["test"], row["n_prompt"], row["n_gen"]) == ("pp32+tg8 x 2", 32, 8)
    assert row["avg_ts"] > 0 and row["pct_peak"] is None
    prompt, decoding = run_json("bench", tiny, "-p", 32, "-n", 8, "-r", 1, "-b", 2)
    # What a decoding token reads differs by the prompt before it only.
    kv = 32 * 2 * 2 * 128 * 2
    assert row["bytes_per_token"] * 40 == pytest.approx(32 * prompt["bytes_per_token"] + 8 * (decoding["bytes_per_token"] + kv))


def test_comma_separated_values(tiny):
    rows = list(csv.DictReader(io.StringIO(run("bench", tiny, "-p", 16, "-n", 4, "-r", 1, "--csv", check=True).stdout)))
    assert [row["test"] for row in rows] == ["pp16", "tg4"]
    assert float(rows[0]["avg_ts"]) > 0 and float(rows[0]["pct_peak"]) > 0 and rows[1]["pct_peak"] == ""
    assert run("bench", tiny, "--csv", "--json").returncode == 2


def test_a_named_instruction_set(tiny):
    row, = run_json("bench", tiny, "-p", 4, "-n", 0, "-r", 1, "--isa", "generic")
    assert row["isa"] == "generic"
    result = run("bench", tiny, "--isa", "mmx")
    assert result.returncode == 2 and "--isa" in result.stderr and "generic" in result.stderr


def check_profile(rows, n_repetitions):
    """One sequence: a prompt of 32 tokens, then 4 steps after a prompt of one."""
    assert [row["test"] for row in rows] == ["pp32", "tg4"]
    for row, n_tokens, n_steps in zip(rows, (32, 1), (1, 4)):
        profile = row["profile"]
        assert all(op["seconds"] > 0 and op["calls"] > 0 and op["bytes"] > 0 for op in profile)
        assert sum(op["pct_time"] for op in profile) == pytest.approx(100)
        assert all(op["pct_roofline"] > 0 for op in profile)
        # No more time than the steps took, which n tokens at a rate say.
        measured = sum(n_tokens * n_steps / rate for rate in row["samples_ts"])
        assert sum(op["seconds"] for op in profile) < measured
        n_runs = n_steps * n_repetitions
        products = [op for op in profile if "matmul" in op["op"]]
        # A prompt wants the logits of its last token only where a token follows: none does here.
        n_output_rows = 0 if n_tokens > 1 else 1
        wanted = 2 * n_tokens * 2 * LAYER_WEIGHTS + 2 * n_output_rows * OUTPUT_WEIGHTS
        assert sum(op["operations"] for op in products) == n_runs * wanted
        attention, = [op for op in profile if op["op"] == "attention"]
        seen = n_repetitions * (sum(range(1, 33)) if n_tokens > 1 else sum(range(2, 6)))
        assert attention["operations"] == 4 * 512 * 2 * seen
    # Decoding reads each packed weight once a step: 18 bytes for 32 weights.
    products = [op for op in rows[1]["profile"] if "matmul" in op["op"]]
    n_weights = 2 * LAYER_WEIGHTS + OUTPUT_WEIGHTS
    read = sum(op["bytes"] for op in products) / (4 * n_repetitions)
    assert 1 <= read / (n_weights * 18 / 32) < 1.1


def test_profile(tiny):
    check_profile(run_json("bench", tiny, "-p", 32, "-n", 4, "-r", 2, "--profile"), 2)
    text = run("bench", tiny, "-p", 8, "-n", 2, "-r", 1, "--profile", check=True).stdout
    assert re.search(r"\| matmul +\| \S+/matmul_Q4_0 +\|", text) and "% roofline" in text


@needs_emulator
def test_profile_of_a_gpu(tiny):
    rows = run_json("bench", tiny, "-p", 32, "-n", 4, "-r", 1, "--profile", "--device", "emulated")
    check_profile(rows, 1)
    assert rows[0]["peak"] > 0 and rows[0]["peak_of"] == "halves"
    check_peak(rows[0])
    assert rows[1]["pct_peak"] is None and "memory" in rows[1]["pct_peak_reason"]
    assert any("," in op["op"] for op in rows[1]["profile"])  # two ops by one kernel


@needs_emulator
def test_profile_of_a_divided_model(tiny):
    rows = run_json("bench", tiny, "-p", 4, "-n", 2, "-r", 1, "--profile", "--device", "emulated:0", "--gpu-layers", 1)
    assert {op["device"] for op in rows[1]["profile"]} == {"cpu", "emulated:0"}
    assert all(op["pct_roofline"] is None for op in rows[1]["profile"])
