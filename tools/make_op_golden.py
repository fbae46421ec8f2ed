#!/usr/bin/env python3
"""Writes tests/data/ops/<op>.json: small inputs of each op with the outputs that numpy computes in float64, by formulas written
here from the ops' papers and definitions, not from the C++ code. tests/conformance/golden_test.cc holds Op::Reference to them.

Usage: tools/make_op_golden.py [FOLDER]   (needs numpy only; the same seed gives the same files)

A file is a list of cases. Each has `attrs`, and whichever of these the op reads, by operand number as the op's header gives
them: `in`, `weight` (inputs: [n_rows, n_cols, values]), `out` (expected), `batch`, `kv` ([n_pages, n_kv_heads, page_tokens,
head_dim] with `k` and `v` as F32 values). Integers are I32 tensors.
"""
import json
import pathlib
import sys

import numpy as np

random = np.random.default_rng(20240917)


def draw(*shape, scale=1.0):
    """Normal values that F32 holds exactly, as float64: what C++ reads is what numpy computes with."""
    return (random.standard_normal(shape) * scale).astype(np.float32).astype(np.float64)


def tensor(array):
    array = np.atleast_2d(np.asarray(array))
    values = [int(v) if array.dtype.kind == "i" else float(v) for v in array.ravel()]
    return {"rows": array.shape[0], "cols": array.shape[1], "integers": array.dtype.kind == "i", "values": values}


def case(attrs=None, inputs=(), weights=(), outputs=(), **more):
    pack = [[None if a is None else tensor(a) for a in arrays] for arrays in (inputs, weights, outputs)]
    return {"attrs": attrs or {}, "in": pack[0], "weight": pack[1], "out": pack[2], **more}


def one_sequence(n_tokens, first=0):
    return {"positions": list(range(first, first + n_tokens)), "sequence_of": [0] * n_tokens}


def embed():
    w, ids = draw(11, 6), [3, 0, 10, 3]
    for scale in (1.0, 2.5):
        batch = {**one_sequence(4), "token_ids": ids}
        yield case({"scale": scale}, weights=[w], outputs=[w[ids] * scale], batch=batch)


def rms_norm():
    for n_groups in (1, 3):
        x, w, eps = draw(4, 12, scale=2.0), draw(12 // n_groups), 1e-3
        eps = float(np.float32(eps))
        groups = x.reshape(4, n_groups, -1)
        rms = np.sqrt(np.mean(np.square(groups), axis=-1, keepdims=True) + eps)
        yield case({"eps": eps, "n_groups": n_groups}, [x], [w], [(groups / rms * w).reshape(4, 12)])


def matmul():
    x, w, bias, residual = draw(3, 9), draw(5, 9), draw(5), draw(3, 5)
    yield case({"n_parts": 1}, [x], [w], [np.einsum("ti,oi->to", x, w)])
    yield case({"n_parts": 1}, [x, residual], [w, bias], [np.einsum("ti,oi->to", x, w) + bias + residual])
    v, u = draw(4, 9), draw(2, 9)
    yield case({"n_parts": 3}, [x], [w, bias, v, None, u, None], [x @ w.T + bias, x @ v.T, x @ u.T])


def rope_table():
    for magnitude in (1.0, 1.25):
        positions = np.array([0, 1, 77, 131072])
        f = (10000.0 ** (-np.arange(4) / 4)).astype(np.float32).astype(np.float64)
        angles = positions[:, None] * f
        table = magnitude * np.stack([np.cos(angles), np.sin(angles)], axis=-1).reshape(4, 8)
        batch = {"positions": positions.tolist(), "sequence_of": [0] * 4}
        yield case({"magnitude": magnitude}, weights=[f], outputs=[table], batch=batch)


def rope():
    """Rotation as multiplication of complex numbers."""
    n_tokens, n_heads, head_dim = 3, 2, 10
    for rope_dim in (10, 6):
        for halves in (False, True):
            x, angles = draw(n_tokens, n_heads * head_dim), draw(n_tokens, rope_dim // 2, scale=2.0)
            table = np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32).astype(np.float64)
            turn = table[..., 0] + 1j * table[..., 1]
            y = x.reshape(n_tokens, n_heads, head_dim).copy()
            first = slice(0, rope_dim // 2) if halves else slice(0, rope_dim, 2)
            second = slice(rope_dim // 2, rope_dim) if halves else slice(1, rope_dim, 2)
            turned = (y[..., first] + 1j * y[..., second]) * turn[:, None, :]
            y[..., first], y[..., second] = turned.real, turned.imag
            attrs = {"n_heads": n_heads, "head_dim": head_dim, "rope_dim": rope_dim, "halves": halves}
            yield case(attrs, [table.reshape(n_tokens, rope_dim), x], outputs=[y.reshape(n_tokens, -1)])


def paged(sequences, page_tokens, n_kv_heads, head_dim, k, v):
    """Lays each sequence's [position, head, dim] keys and values into shuffled pages."""
    n_pages = [-(-len(s) // page_tokens) for s in k]
    order, stride = random.permutation(sum(n_pages)), max(n_pages)
    pool = np.zeros((2, sum(n_pages), n_kv_heads, page_tokens, head_dim))
    table, next_page = [], 0
    for s in range(len(sequences)):
        row = order[next_page:next_page + n_pages[s]]
        next_page += n_pages[s]
        table += row.tolist() + [0] * (stride - len(row))
        for p in range(len(k[s])):
            pool[0, row[p // page_tokens], :, p % page_tokens] = k[s][p]
            pool[1, row[p // page_tokens], :, p % page_tokens] = v[s][p]
    kv = {"n_pages": sum(n_pages), "n_kv_heads": n_kv_heads, "page_tokens": page_tokens, "head_dim": head_dim,
          "k": pool[0].ravel().tolist(), "v": pool[1].ravel().tolist()}
    batch = {"positions": [p for past, new in sequences for p in range(past, past + new)],
             "sequence_of": [s for s, (_, new) in enumerate(sequences) for _ in range(new)],
             "page_table": [int(page) for page in table], "page_table_stride": stride}
    return kv, batch


def kv_store():
    sequences, n_kv_heads, head_dim = [(0, 3), (2, 2)], 2, 4
    k = [draw(past + new, n_kv_heads, head_dim) for past, new in sequences]
    v = [draw(past + new, n_kv_heads, head_dim) for past, new in sequences]
    for s, (past, _) in enumerate(sequences):  # what is not stored now stays 0
        k[s][:past] = v[s][:past] = 0
    kv, batch = paged(sequences, 3, n_kv_heads, head_dim, k, v)
    rows = [np.concatenate([half[s][past:].reshape(-1, n_kv_heads * head_dim) for s, (past, _) in enumerate(sequences)])
            for half in (k, v)]
    expected = {"k": kv["k"], "v": kv["v"]}
    kv["k"] = kv["v"] = [0.0] * len(kv["k"])
    yield case({}, rows, kv=kv, batch=batch, kv_out=expected)


def alibi_slopes(n_heads, max_bias):
    """As the paper's own code builds them: a geometric sequence, and every other slope of twice as many heads for the rest."""
    def of_power(n):
        return [2.0 ** (-max_bias / n * (i + 1)) for i in range(n)]
    power = 2 ** int(np.floor(np.log2(n_heads)))
    return np.array(of_power(power) + of_power(2 * power)[0::2][:n_heads - power])


def attend(q, k, v, position, attrs, sinks):
    """q [n_heads, head_dim] against k, v [length, n_kv_heads, head_dim] of its own sequence."""
    group = q.shape[0] // k.shape[1]
    k, v = np.repeat(k, group, axis=1), np.repeat(v, group, axis=1)
    scores = np.einsum("hd,phd->hp", q, k) * attrs["scale"]
    if attrs["soft_cap"]:
        scores = attrs["soft_cap"] * np.tanh(scores / attrs["soft_cap"])
    distance = position - np.arange(len(k))
    if attrs["alibi_max_bias"]:
        scores = scores - alibi_slopes(q.shape[0], attrs["alibi_max_bias"])[:, None] * distance
    seen = (distance >= 0) & ((distance < attrs["window"]) if attrs["window"] else True)
    weights = np.where(seen, np.exp(scores), 0.0)
    total = weights.sum(axis=1) + (0.0 if sinks is None else np.exp(sinks))
    return np.einsum("hp,phd->hd", weights / total[:, None], v)


def attention():
    sequences = [(0, 4), (5, 1), (2, 3)]
    plain = {"scale": 0.5, "window": 0, "soft_cap": 0.0, "alibi_max_bias": 0.0}
    variants = [({}, 4, 2, False), ({"window": 3}, 4, 2, False), ({"soft_cap": 2.0}, 2, 2, False),
                ({"alibi_max_bias": 8.0}, 3, 1, False), ({"alibi_max_bias": 4.0}, 7, 1, False), ({}, 6, 2, True),
                ({"window": 2, "soft_cap": 3.0}, 8, 1, True)]
    for change, n_heads, n_kv_heads, with_sinks in variants:
        attrs = {**plain, **change, "n_heads": n_heads}
        k = [draw(past + new, n_kv_heads, 6) for past, new in sequences]
        v = [draw(past + new, n_kv_heads, 6) for past, new in sequences]
        kv, batch = paged(sequences, 3, n_kv_heads, 6, k, v)
        q = draw(len(batch["positions"]), n_heads, 6)
        sinks = draw(n_heads) if with_sinks else None
        y = [attend(q[t], k[s], v[s], p, attrs, sinks)
             for t, (s, p) in enumerate(zip(batch["sequence_of"], batch["positions"]))]
        rows = len(y)
        yield case(attrs, [q.reshape(rows, -1)], [sinks], [np.array(y).reshape(rows, -1)], kv=kv, batch=batch)


def glu():
    gate, up = draw(3, 7, scale=3.0), draw(3, 7)
    yield case({"activation": "silu"}, [gate, up], outputs=[gate / (1 + np.exp(-gate)) * up])
    gelu = gate / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (gate + 0.044715 * gate ** 3)))
    yield case({"activation": "gelu_tanh"}, [gate, up], outputs=[gelu * up])


def add():
    a, b = draw(3, 5), draw(3, 5, scale=9.0)
    yield case({}, [a, b], outputs=[a + b])


def soft_cap():
    x = draw(2, 9, scale=40.0)
    yield case({"cap": 30.0, "scale": 0.5}, [x], outputs=[30 * np.tanh(x / 2 / 30)])
    yield case({"cap": 0.0, "scale": 0.5}, [x], outputs=[x / 2])


def gather_rows():
    x, rows = draw(6, 4), [0, 2, 5]
    yield case({}, [x], outputs=[x[rows]], batch={**one_sequence(6), "output_rows": rows})


def moe_route():
    for normalize in (False, True):
        for scale in (1.0, 2.5):
            logits = draw(4, 9, scale=2.0)
            logits[1, 7] = logits[1, 2] = 50.0  # a tie: the lower index first
            p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            ids = np.array([sorted(range(9), key=lambda e: (-row[e], e))[:3] for row in logits])
            weights = np.take_along_axis(p, ids, axis=1)
            if normalize:
                weights = weights / weights.sum(axis=1, keepdims=True)
            attrs = {"n_used": 3, "normalize": normalize, "scale": scale}
            yield case(attrs, [logits], outputs=[ids.astype(np.int32), weights * scale])


def moe_matmul():
    ids, w = np.array([[2, 0], [1, 2], [2, 1]], dtype=np.int32), draw(4, 5, 7)
    for shared in (True, False):
        x = draw(3 if shared else 6, 7)
        y = [w[ids[t, j]] @ x[t if shared else 2 * t + j] for t in range(3) for j in range(2)]
        yield case({"n_matrices": 4}, [x, ids], [w.reshape(20, 7)], [np.array(y)])


def moe_combine():
    x, weights = draw(6, 5), draw(3, 2)
    yield case({}, [x, weights], outputs=[np.einsum("tj,tjc->tc", weights, x.reshape(3, 2, 5))])


def best_logits():
    """Changes of logits, then the best and the sums of weights."""
    logits, k = draw(5, 2100, scale=3.0), 6
    logits[1, 40] = logits[1, 2000] = logits[1, 7] = 50.0  # a tie: the lower id first
    factors = [1.5, 0.25, 0.75, 0.5, 2.0]
    changes = [[(3, "add", 9.0), (3, "penalize", 2.0), (3, "add", -0.5), (8, "penalize", 4.0), (2099, "add", 11.0)],
               [(7, "set", -1000.0)], [(0, "add", 100.0)], [], [(5, "set", 30.0), (6, "add", -7.25)]]
    changed = logits.copy()
    for row, of_row in enumerate(changes):
        for token, kind, operand in of_row:
            x = changed[row, token]
            changed[row, token] = {"add": x + operand, "set": operand, "penalize": x / operand if x > 0 else x * operand}[kind]
    ids = np.array([sorted(range(2100), key=lambda i: (-row[i], i))[:k] for row in changed], dtype=np.int32)
    values = np.take_along_axis(changed, ids, axis=1)
    sums = np.zeros((5, 3))
    for row, factor in enumerate(factors):
        weights = np.exp2((changed[row] - changed[row].max()) * factor)
        sums[row] = [weights[p * 1024:(p + 1) * 1024].sum() for p in range(3)]
    first = np.cumsum([0] + [len(c) for c in changes]).tolist()
    batch = {**one_sequence(5), "output_rows": list(range(5)), "best_factors": factors, "first_change": first,
             "changes": [c for of_row in changes for c in of_row]}
    yield case({}, [logits], outputs=[ids, values, sums, changed], batch=batch)


OPS = [embed, rms_norm, matmul, rope_table, rope, kv_store, attention, glu, add, soft_cap, gather_rows, moe_route,
       moe_matmul, moe_combine, best_logits]


def main():
    default = pathlib.Path(__file__).resolve().parent.parent / "tests/data/ops"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    folder.mkdir(parents=True, exist_ok=True)
    for op in OPS:
        lines = [json.dumps(c, separators=(",", ":")) for c in op()]
        (folder / f"{op.__name__}.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
