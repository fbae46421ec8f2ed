#!/usr/bin/env python3
"""Writes tests/data/sampling/llama_cpp.json: what llama.cpp's samplers keep of random logits, to compare ours with.

    make_sampler_cases.py LIBLLAMA.so OUT.json

LIBLLAMA is a shared library of llama.cpp. Each case: the sampler's parameters under our names, the tokens accepted before, the logits [n]
and the survivors [[id, logit, probability], ...] as the sampler left them.
"""
import ctypes
import json
import random
import sys

c_float, c_int, c_size, c_ptr = ctypes.c_float, ctypes.c_int32, ctypes.c_size_t, ctypes.c_void_p


class TokenData(ctypes.Structure):
    _fields_ = [("id", c_int), ("logit", c_float), ("p", c_float)]


class TokenArray(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(TokenData)), ("size", c_size), ("selected", ctypes.c_int64), ("is_sorted", ctypes.c_bool)]


def apply(library, sampler, logits, accepted=()):
    data = (TokenData * len(logits))(*[TokenData(i, x, 0.0) for i, x in enumerate(logits)])
    array = TokenArray(data, len(logits), -1, False)
    for token in accepted:
        library.llama_sampler_accept(c_ptr(sampler), c_int(token))
    library.llama_sampler_apply(c_ptr(sampler), ctypes.byref(array))
    library.llama_sampler_free(c_ptr(sampler))
    kept = [array.data[i] for i in range(array.size) if array.data[i].logit > float("-inf")]
    return sorted([token.id, round(token.logit, 5), round(token.p, 7)] for token in kept)


def f32(x):
    return c_float(x).value


def random_logits(rng, n):
    shape = rng.choice([1.0, 3.0, 6.0])
    return [round(rng.gauss(0.0, shape), 3) for _ in range(n)]


def main():
    library = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
    rng = random.Random(20261124)
    for name in ("top_k", "top_p", "min_p", "typical", "temp_ext", "xtc", "top_n_sigma", "mirostat", "mirostat_v2",
                 "penalties", "adaptive_p", "dry"):
        getattr(library, "llama_sampler_init_" + name).restype = c_ptr

    def init(name, *values):
        return getattr(library, "llama_sampler_init_" + name)(*values)

    cases = []

    def add(params, sampler, logits, accepted=()):
        kept = apply(library, sampler, logits, accepted)
        cases.append({"params": params, "accepted": list(accepted), "logits": logits, "kept": kept})

    for _ in range(6):
        n = rng.choice([40, 90, 160])
        k = rng.randint(1, n)
        add({"top_k": k}, init("top_k", c_int(k)), random_logits(rng, n))
        p = f32(rng.uniform(0.05, 0.99))
        add({"top_p": p}, init("top_p", c_float(p), c_size(1)), random_logits(rng, n))
        p = f32(rng.uniform(0.01, 0.5))
        add({"min_p": p}, init("min_p", c_float(p), c_size(1)), random_logits(rng, n))
        p = f32(rng.uniform(0.1, 0.95))
        add({"typical_p": p}, init("typical", c_float(p), c_size(1)), random_logits(rng, n))
        sigma = f32(rng.uniform(0.5, 2.5))
        add({"top_n_sigma": sigma}, init("top_n_sigma", c_float(sigma)), random_logits(rng, n))
        threshold = f32(rng.uniform(0.01, 0.2))
        add({"xtc_probability": 1.0, "xtc_threshold": threshold},
            init("xtc", c_float(1.0), c_float(threshold), c_size(1), ctypes.c_uint32(1)), random_logits(rng, n))
        t, spread, exponent = f32(rng.uniform(0.5, 2.0)), f32(rng.uniform(0.1, 0.5)), f32(rng.uniform(0.5, 2.0))
        add({"temperature": t, "dynatemp_range": spread, "dynatemp_exponent": exponent},
            init("temp_ext", c_float(t), c_float(spread), c_float(exponent)), random_logits(rng, n))
        tau, eta = f32(rng.uniform(0.5, 3.0)), f32(0.1)
        add({"mirostat": 1, "mirostat_tau": tau, "mirostat_eta": eta},
            init("mirostat", c_int(n), ctypes.c_uint32(1), c_float(tau), c_float(eta), c_int(100)), random_logits(rng, n))
        add({"mirostat": 2, "mirostat_tau": tau, "mirostat_eta": eta},
            init("mirostat_v2", ctypes.c_uint32(1), c_float(tau), c_float(eta)), random_logits(rng, n))
        target, decay = f32(rng.uniform(0.05, 0.9)), f32(rng.uniform(0.0, 0.99))
        add({"adaptive_target": target, "adaptive_decay": decay},
            init("adaptive_p", c_float(target), c_float(decay), ctypes.c_uint32(1)), random_logits(rng, n))
        repeat, window = f32(rng.uniform(1.05, 2.0)), rng.choice([8, 64])
        accepted = [rng.randrange(40) for _ in range(30)]
        add({"repeat_penalty": repeat, "repeat_last_n": window},
            init("penalties", c_int(n), c_int(window), c_float(repeat), c_float(0.0), c_float(0.0)), random_logits(rng, n), accepted)

    # Its own tests' entrance, which needs no vocabulary.
    library._Z30llama_sampler_init_dry_testingffiiRKSt6vectorIS_IiSaIiEESaIS1_EE.restype = c_ptr
    # A std::vector<std::vector<int>> with one breaker that never comes: three pointers (begin, end, end of memory) each.
    breaker = (c_int * 1)(39)
    begin = ctypes.addressof(breaker)
    inner = (c_ptr * 3)(begin, begin + 4, begin + 4)
    begin = ctypes.addressof(inner)
    breakers = (c_ptr * 3)(begin, begin + 24, begin + 24)
    for _ in range(12):
        multiplier, base, allowed = f32(rng.uniform(0.2, 2.0)), f32(rng.uniform(1.1, 2.0)), rng.randint(1, 4)
        accepted = [rng.randrange(3) for _ in range(40)]
        sampler = library._Z30llama_sampler_init_dry_testingffiiRKSt6vectorIS_IiSaIiEESaIS1_EE(
            c_float(multiplier), c_float(base), c_int(allowed), c_int(1024), ctypes.byref(breakers))
        add({"dry_multiplier": multiplier, "dry_base": base, "dry_allowed_length": allowed}, sampler,
            random_logits(rng, 40), accepted)

    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")
    print(len(cases), "cases")


if __name__ == "__main__":
    main()
