"""`inspect`: what it says of the real models, and that it refuses what `run` refuses, in the same words."""
import os

import pytest
from conftest import run, run_json


def test_what_a_model_is(smollm2):
    report = run_json("inspect", smollm2)
    assert report["architecture"] == "llama" and report["context_length"] == 8192
    assert report["parameters"] == 134515008 and report["file_size"] == smollm2.stat().st_size
    assert report["types"] == {"F32": 61, "Q4_1": 210, "Q8_0": 1}
    assert report["tokenizer"]["model"] == "gpt2" and report["tokenizer"]["n_tokens"] == 49152
    assert report["chat_template"].startswith("{% for message in messages %}")
    assert report["metadata"]["llama.block_count"] == 30
    assert report["metadata"]["tokenizer.ggml.tokens"] == {"array_of": "string", "length": 49152}
    assert "tensors" not in report
    assert len(run_json("inspect", smollm2, "--tensors")["tensors"]) == sum(report["types"].values())


@pytest.mark.parametrize("model", ["smollm2", "gemma3"])
@pytest.mark.parametrize("flags", [["--ctx", "2048"], ["--ctx", "512", "--kv-type", "f32", "--prefill-chunk", "64"],
                                   ["--ctx", "1000", "--no-mmap"]])
def test_memory_is_what_the_plan_takes(model, flags, request):
    path = request.getfixturevalue(model)
    (entry,) = run_json("inspect", path, *flags)["memory"]
    plan = run_json("plan", path, *flags)["memory"]
    assert entry["weights"] == plan["weights"] and entry["weights_mapped"] == plan["weights_mapped"]
    assert entry["kv"] == plan["kv_cache"]
    assert entry["scratch"] == plan["activations"] + plan["workspace"]


def test_a_vocabulary_says_so(golden):
    file = golden / "tokenizer/vocab/gpt-2.gguf"
    assert "vocabulary only" in run("inspect", file, check=True).stdout
    assert run_json("inspect", file)["vocabulary_only"] is True


def refusal(path):
    inspected, ran = run("inspect", path), run("run", path, "hi", stdin="")
    assert inspected.returncode == ran.returncode
    assert inspected.stdout == "" and ran.stdout == ""
    assert inspected.stderr == ran.stderr
    assert len(inspected.stderr.splitlines()) == 1 and len(inspected.stderr) <= 300
    return inspected.returncode, inspected.stderr


@pytest.mark.parametrize("n_bytes", [0, 3, 23, 100, 5000, 2_000_000, -1])
def test_a_file_that_is_cut_off(smollm2, tmp_path, n_bytes):
    file = tmp_path / "cut.gguf"
    data = smollm2.read_bytes()
    file.write_bytes(data[:n_bytes])
    code, message = refusal(file)
    assert code == 3 and "cut.gguf" in message


@pytest.mark.parametrize("key, old, new", [
    (b"llama.attention.head_count\x04\0\0\0", b"\x09\0\0\0", b"\0\0\0\0"),
    (b"llama.block_count\x04\0\0\0", b"\x1e\0\0\0", b"\x1f\0\0\0"),
    (b"llama.attention.layer_norm_rms_epsilon\x06\0\0\0", b"\xac\xc5\x27\x37", b"\0\0\xc0\x7f"),
    (b"llama.rope.freq_base\x06\0\0\0", b"\0\x50\xc3\x47", b"\0\0\x80\x7f"),
    (b"tokenizer.ggml.bos_token_id\x04\0\0\0", b"\x01\0\0\0", b"\0\xc0\0\0")])
def test_a_senseless_value_is_named(smollm2, tmp_path, key, old, new):
    data = bytearray(smollm2.read_bytes())
    at = data.index(key + old) + len(key)
    data[at:at + len(new)] = new
    file = tmp_path / "odd.gguf"
    file.write_bytes(data)
    code, message = refusal(file)
    assert code == 3
    assert key[:key.index(b"\x04" if b"\x04" in key else b"\x06")].decode().rsplit(".", 1)[1] in message or "blk.30" in message


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.gguf")
    assert refusal(tmp_path / "pipe.gguf")[0] == 2
    (tmp_path / "folder.gguf").mkdir()
    assert refusal(tmp_path / "folder.gguf")[0] == 2
    assert refusal(tmp_path / "missing.gguf")[0] == 6


def test_a_file_without_permission(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may read every file")
    (tmp_path / "secret.gguf").write_bytes(b"GGUF")
    (tmp_path / "secret.gguf").chmod(0)
    assert refusal(tmp_path / "secret.gguf")[0] == 6


def test_odd_paths_are_escaped(tmp_path):
    for name in ["a b.gguf", "ä中.gguf", "a\nb.gguf", "\x1b[31m.gguf", "x" * 5000 + ".gguf"]:
        code, message = refusal(tmp_path / name)
        assert code in (2, 6) and "\x1b" not in message
