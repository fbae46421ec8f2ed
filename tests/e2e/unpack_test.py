"""Every tensor of the real models, unpacked by our code and by the Python package `gguf`, must have the same bits."""
import pathlib
import subprocess

import gguf
import gguf.quants
import numpy as np
from conftest import binary

ROWS = 64  # of 16 or more thousand values: what is compared at a time


def unpacked_tensors(path):
    """Yields (name, format, reader of n values) in the file's order, from the test program beside the binary."""
    program = pathlib.Path(binary()).parent / "tests/rf_unpack_tensors"
    assert program.exists(), f"{program} is missing: it is built with the tests"
    with subprocess.Popen([program, path], stdout=subprocess.PIPE) as process:
        while line := process.stdout.readline():
            name, kind, elements = line.decode().rstrip("\n").split("\t")
            yield name, kind, int(elements), lambda n: np.frombuffer(process.stdout.read(4 * n), dtype="<u4")
        assert process.wait() == 0


def check_model(path):
    reader = gguf.GGUFReader(path)
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    kinds = set()
    for name, kind, elements, read in unpacked_tensors(path):
        tensor = tensors.pop(name)
        assert (kind, elements) == (tensor.tensor_type.name, tensor.n_elements), name
        rows = tensor.data.reshape(-1, tensor.data.shape[-1])
        for begin in range(0, len(rows), ROWS):
            wanted = gguf.quants.dequantize(rows[begin:begin + ROWS], tensor.tensor_type)
            wanted = np.ascontiguousarray(wanted, dtype="<f4").view("<u4").reshape(-1)
            got = read(wanted.size)
            assert np.array_equal(got, wanted), f"{name} ({kind}): rows {begin}.. differ"
        kinds.add(kind)
    assert not tensors, f"not unpacked: {sorted(tensors)}"
    return kinds


def test_smollm2_is_unpacked_exactly(smollm2):
    assert "Q4_1" in check_model(smollm2)


def test_gemma3_is_unpacked_exactly(gemma3):
    assert "Q4_K" in check_model(gemma3)
