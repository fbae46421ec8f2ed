"""Damaged models through the program: `inspect`, `run` and `logits` refuse them alike, with exit code 3 and one line that names
what is wrong. The C++ tests of src/model go through all keys and tensors; these see what a user sees."""
import subprocess

import numpy as np
import pytest

import gguf_export
from arch_test import BINARY
from configs import LLAMA
from weights import draw


class Damage:
    """Stands in for gguf.GGUFWriter and drops or changes what it is asked to."""

    def __init__(self, writer, keys, tensors):
        self.writer, self.keys, self.tensors = writer, keys, tensors

    def __getattr__(self, name):
        return getattr(self.writer, name)

    def apply(self):
        values = self.writer.kv_data[0]
        for key, value in self.keys.items():
            if value is None:
                del values[key]
            else:
                values[key].value = value
        for name, array in self.tensors.items():
            self.writer.add_tensor(name, array)

    def write_header_to_file(self):
        self.apply()
        self.writer.write_header_to_file()


CASES = [
    ({"llama.block_count": None}, {}, "missing key 'llama.block_count'"),
    ({"llama.attention.layer_norm_rms_epsilon": float("nan")}, {}, "'llama.attention.layer_norm_rms_epsilon' is nan"),
    ({"llama.rope.freq_base": 0.0}, {}, "'llama.rope.freq_base' is 0"),
    ({"llama.rope.freq_base": float("inf")}, {}, "'llama.rope.freq_base' is inf"),
    ({"llama.attention.head_count": 0}, {}, "'llama.attention.head_count' is 0"),
    ({"tokenizer.ggml.bos_token_id": 280}, {}, "tokenizer.ggml.bos_token_id 280 outside"),
    ({"tokenizer.ggml.eos_token_id": 0xFFFFFFFF}, {}, "tokenizer.ggml.eos_token_id 4294967295 outside"),
    ({"llama.feed_forward_length": 81}, {}, "tensor 'blk.0.ffn_gate.weight' has shape [80, 48], expected [81, 48]"),
    ({}, {"blk.0.attn_sinks.weight": np.zeros(4, np.float32)}, "tensor 'blk.0.attn_sinks.weight' has no place"),
    ({"general.architecture": "rwkv9"}, {}, "architecture 'rwkv9' is not supported; known: "),
    ({"tokenizer.ggml.model": "words"}, {}, "words"),
]


@pytest.mark.parametrize("command", ["inspect", "run", "logits"])
@pytest.mark.parametrize("keys, tensors, message", CASES, ids=[case[2][:40] for case in CASES])
def test_refused(tmp_path, monkeypatch, keys, tensors, message, command):
    original = gguf_export.gguf.GGUFWriter
    monkeypatch.setattr(gguf_export.gguf, "GGUFWriter", lambda *arguments: Damage(original(*arguments), keys, tensors))
    path = tmp_path / "damaged.gguf"
    gguf_export.write(path, LLAMA, draw(LLAMA, "damaged"))
    more = {"inspect": [], "run": ["hello"], "logits": ["--tokens", "1,2"]}[command]
    result = subprocess.run([BINARY, command, path, *more], capture_output=True, text=True, timeout=60)
    assert result.returncode == 3, result.stdout + result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1 and len(lines[0]) <= 300 + len("rocmforge: "), lines
    assert message in lines[0]
    assert result.stdout == "" or command == "inspect"  # which describes a sound file that is only not for this engine
