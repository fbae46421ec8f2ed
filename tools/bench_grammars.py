#!/usr/bin/env python3
"""Token masks beside llguidance's and xgrammar's, in one run: compile time, and the time of each mask along documents.

    pip install llguidance xgrammar
    tools/bench_grammars.py build/release/tests/rf_grammar_bench VOCABULARY.gguf [n_random_schemas]

All three follow the same documents token by token over the same vocabulary; where one refuses a schema or a document
(they differ in white space and keywords), the schema is left out for all. A mask's time is that of filling a bitmap (ours:
of giving one out). One thread, no batch.
"""
import json
import pathlib
import random
import subprocess
import sys
import time

import llguidance
import numpy
import torch
import xgrammar

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/grammar"))
from schemas import Generator  # noqa: E402

TYPICAL = {
    "type": "object",
    "properties": {
        "name": {"type": "string"}, "age": {"type": "integer"}, "email": {"type": "string"},
        "address": {"type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"},
                                                     "zip": {"type": "string"}},
                    "required": ["street", "city", "zip"], "additionalProperties": False},
        "tags": {"type": "array", "items": {"type": "string"}},
        "status": {"enum": ["active", "inactive", "banned"]},
        "scores": {"type": "array", "items": {"type": "number"}},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
    "required": ["name", "age", "email", "address", "tags", "status", "scores", "note"], "additionalProperties": False}
TYPICAL_DOCUMENT = {
    "name": "Johanna Müller-Lüdenscheidt", "age": 42, "email": "johanna@example.org",
    "address": {"street": "Main Street 12", "city": "Springfield", "zip": "12345"}, "tags": ["new customer", "wholesale", "EU"],
    "status": "active", "scores": [1.5, 22, 0.25], "note": "Prefers to be called in the afternoon; speaks French.\nSee file."}
BOUNDED = {"type": "object", "properties": {"title": {"type": "string", "maxLength": 60},
                                            "text": {"type": "string", "minLength": 10, "maxLength": 400}},
           "required": ["title", "text"], "additionalProperties": False}
BOUNDED_DOCUMENT = {"title": "On the uses of bounded strings", "text": "They come up in every form that people fill in. " * 6}


class Ours:
    def __init__(self, program, vocabulary):
        self.process = subprocess.Popen([program, vocabulary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def follow(self, schema, tokens):
        answer = self.ask({"schema": schema, "tokens": tokens})
        return None if "error" in answer else (answer["compile_ms"], answer["mask_us"])


class LlGuidance:
    def __init__(self, tokens, eos):
        class Vocabulary:
            eos_token_id, bos_token_id, unk_token_id = eos, None, None

            def __init__(self):
                self.tokens, self.special_token_ids = tokens, [i for i, t in enumerate(tokens) if not t or i == eos]

            def __call__(self, text):
                return []
        self.tokenizer = llguidance.LLTokenizer(llguidance.TokenizerWrapper(Vocabulary()))
        self.bitmap = numpy.zeros((1, (len(tokens) + 31) // 32), dtype=numpy.int32)

    def follow(self, schema, tokens):
        begin = time.perf_counter()
        matcher = llguidance.LLMatcher(self.tokenizer, llguidance.LLMatcher.grammar_from_json_schema(schema))
        compile_ms = (time.perf_counter() - begin) * 1e3
        times = []
        pointer, n_bytes = self.bitmap.ctypes.data, self.bitmap.nbytes
        for token in tokens:
            begin = time.perf_counter()
            matcher.unsafe_compute_mask_ptr(pointer, n_bytes)
            times.append((time.perf_counter() - begin) * 1e6)
            if not matcher.consume_token(token):
                return None
        return compile_ms, times


class XGrammar:
    def __init__(self, tokens, eos):
        info = xgrammar.TokenizerInfo(tokens, xgrammar.VocabType.RAW, vocab_size=len(tokens), stop_token_ids=[eos])
        self.compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)
        self.bitmap = xgrammar.allocate_token_bitmask(1, len(tokens))

    def follow(self, schema, tokens):
        begin = time.perf_counter()
        try:
            compiled = self.compiler.compile_json_schema(json.dumps(schema), any_whitespace=True)
        except RuntimeError:
            return None
        matcher = xgrammar.GrammarMatcher(compiled)
        compile_ms = (time.perf_counter() - begin) * 1e3
        times = []
        for token in tokens:
            begin = time.perf_counter()
            matcher.fill_next_token_bitmask(self.bitmap)
            times.append((time.perf_counter() - begin) * 1e6)
            if not matcher.accept_token(token):
                return None
        return compile_ms, times


def cases(n):
    yield "typical", TYPICAL, TYPICAL_DOCUMENT
    yield "bounded strings", BOUNDED, BOUNDED_DOCUMENT
    for seed in range(n):
        schema, make = Generator(random.Random(seed), for_model=True).document_schema()
        yield "random", schema, make()


def report(name, results):
    print(f"\n{name} ({len(results[0][1])} schemas, {sum(len(times) for _, times in results[0][1])} masks)")
    print(f"{'':12} {'compile ms':>12} {'median µs':>10} {'mean µs':>10} {'p99 µs':>10} {'worst µs':>10} {'all in all ms':>14}")
    for engine, runs in results:
        masks = numpy.concatenate([times for _, times in runs])
        compile_ms = numpy.array([ms for ms, _ in runs])
        print(f"{engine:12} {compile_ms.mean():12.2f} {numpy.median(masks):10.2f} {masks.mean():10.2f} "
              f"{numpy.percentile(masks, 99):10.1f} {masks.max():10.1f} {compile_ms.sum() + masks.sum() / 1e3:14.1f}")


def main():
    torch.set_num_threads(1)
    ours = Ours(sys.argv[1], sys.argv[2])
    tokens = [bytes.fromhex(token) for token in ours.ask({"vocabulary": True})]
    eos = max(i for i, token in enumerate(tokens) if not token)
    engines = {"rocmforge": ours, "llguidance": LlGuidance(tokens, eos), "xgrammar": XGrammar(tokens, eos)}
    groups = {}
    n_left_out = 0
    for name, schema, document in cases(int(sys.argv[3]) if len(sys.argv) > 3 else 100):
        ids = ours.ask({"text": json.dumps(document, ensure_ascii=False)})
        runs = {engine: follower.follow(schema, ids) for engine, follower in engines.items()}
        if None in runs.values():
            n_left_out += 1
            continue
        groups.setdefault(name, []).append(runs)
    for name, runs in groups.items():
        report(name, [(engine, [run[engine] for run in runs]) for engine in engines])
    print(f"\nleft out, as one of them refuses schema or document: {n_left_out}")


if __name__ == "__main__":
    main()
