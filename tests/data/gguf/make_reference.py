#!/usr/bin/env python3
"""Writes reference.gguf with the Python package `gguf` 0.19, which shares no code with this project.

Every value type, arrays, an alignment of 64, tensors of 1 to 4 dimensions. src/gguf/writer_test.cc knows the values.
Usage: make_reference.py (in this folder)
"""
import pathlib

import gguf
import numpy as np

KINDS = gguf.GGUFValueType
path = pathlib.Path(__file__).parent / "reference.gguf"
writer = gguf.GGUFWriter(path, "reference")
writer.add_custom_alignment(64)
writer.add_key_value("scalar.u8", 200, KINDS.UINT8)
writer.add_key_value("scalar.i8", -100, KINDS.INT8)
writer.add_key_value("scalar.u16", 60000, KINDS.UINT16)
writer.add_key_value("scalar.i16", -30000, KINDS.INT16)
writer.add_key_value("scalar.u32", 4000000000, KINDS.UINT32)
writer.add_key_value("scalar.i32", -2000000000, KINDS.INT32)
writer.add_key_value("scalar.f32", 0.1, KINDS.FLOAT32)
writer.add_key_value("scalar.u64", 2**63 + 1, KINDS.UINT64)
writer.add_key_value("scalar.i64", -2**63, KINDS.INT64)
writer.add_key_value("scalar.f64", 0.1, KINDS.FLOAT64)
writer.add_key_value("scalar.true", True, KINDS.BOOL)
writer.add_key_value("scalar.false", False, KINDS.BOOL)
writer.add_key_value("scalar.string", "grüße\n", KINDS.STRING)
writer.add_key_value("array.u8", [1, 2, 3], KINDS.ARRAY, sub_type=KINDS.UINT8)
writer.add_key_value("array.i32", [-1, 0, 1], KINDS.ARRAY, sub_type=KINDS.INT32)
writer.add_key_value("array.f32", [0.5, -2.25], KINDS.ARRAY, sub_type=KINDS.FLOAT32)
writer.add_key_value("array.bool", [True, False, True], KINDS.ARRAY, sub_type=KINDS.BOOL)
writer.add_key_value("array.u64", [2**64 - 1], KINDS.ARRAY, sub_type=KINDS.UINT64)
writer.add_key_value("array.f64", [1e300], KINDS.ARRAY, sub_type=KINDS.FLOAT64)
writer.add_key_value("array.string", ["", "a", "<s>", "▁the"], KINDS.ARRAY, sub_type=KINDS.STRING)
writer.add_tensor("f32.vector", np.arange(5, dtype=np.float32))
writer.add_tensor("f16.matrix", np.arange(6, dtype=np.float16).reshape(2, 3))
writer.add_tensor("i32.cube", np.arange(24, dtype=np.int32).reshape(2, 3, 4))
writer.add_tensor("i8.four", np.arange(24, dtype=np.int8).reshape(1, 2, 3, 4))
writer.add_tensor("q8_0.matrix", gguf.quantize(np.arange(128, dtype=np.float32).reshape(2, 64), gguf.GGMLQuantizationType.Q8_0),
                  raw_dtype=gguf.GGMLQuantizationType.Q8_0)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
