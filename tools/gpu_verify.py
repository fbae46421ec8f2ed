#!/usr/bin/env python3
"""Runs the tests and models on a GPU and writes what came of it; scripts/gpu-verify.sh builds and calls it.

    gpu_verify.py --build FOLDER --log FILE [--device hip:0] [--limit SECONDS] [--sanitize] MODEL...
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

from divergence import divergence
from gpu_verify_faults import check_faults, check_weights
from gpu_verify_log import Budget, Log, gtest_cases, part
from gpu_verify_sanitize import check_sanitizers

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROMPTS = ["The capital of France is", "def fibonacci(n):\n", "Once upon a time there was", "Die Quadratwurzel aus 16 ist"]
MAX_DIVERGENCE = 1e-4  # nats, mean over the positions, between the GPU's and the CPU's logits
MAX_GOLDEN_DIVERGENCE = 2.5e-3  # nats, to exact arithmetic: what llama.cpp loses on the better of the two real models
MIN_AGREEMENT = 0.9  # of the greedy tokens: two orders of summing part where two tokens are nearly equal, and stay apart then
RANDOM_MIXES = ["q4_k_m", "q8_0"]


def first_line(*command):
    try:
        return (subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=20).stdout.splitlines() or [""])[0]
    except (OSError, subprocess.TimeoutExpired):
        return ""


def run_gtest(log, budget, build, name, cases):
    """One GoogleTest program; its counts."""
    started = time.time()
    code, found = gtest_cases(budget, build, name, cases)
    failed = [case["name"] for case in found if case.get("failures")]
    skipped = [case for case in found if case.get("result") == "SKIPPED"]
    log.check(name, code == 0 and not failed and len(found) > len(skipped),
              f"{len(found) - len(failed) - len(skipped)} passed, {len(failed)} failed, {len(skipped)} skipped, "
              f"{time.time() - started:.0f} s {' '.join(failed[:5])}")


class Model:
    """A file, and what the program says of it in the time that is left."""

    def __init__(self, program, path, budget):
        self.program = program
        self.path = path
        self.budget = budget

    def run(self, command, device, *flags, stdin=None):
        gpu = [] if device == "cpu" else ["--require-gpu"]
        done = self.budget.run(self.program, command, self.path, "--device", device, *gpu, *flags, stdin=stdin)
        if done.returncode != 0:
            raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr.strip()[-250:]}")
        return done.stdout

    def ids(self, device, *flags, n, prompts):
        """The ids of each prompt's greedy continuation."""
        text = "".join(json.dumps({"prompt": prompt, "n": n}) + "\n" for prompt in prompts)
        answers = [json.loads(line) for line in self.run("generate", device, "--jsonl", "--ignore-eos", *flags, stdin=text).splitlines()]
        if len(answers) != len(prompts) or any("error" in answer for answer in answers):
            raise RuntimeError(f"{len(answers)} answers to {len(prompts)} prompts: {answers}")
        return [answer["ids"] for answer in answers]

    def logits(self, device, text_file, n):
        lines = self.run("logits", device, "--text-file", text_file, "--limit", n, "--top", 128, "--json").splitlines()
        return [json.loads(line) for line in lines]


def agree(first, second):
    """How many tokens are equal before the first that is not, over all prompts."""
    return sum(next((i for i, (a, b) in enumerate(zip(x, y)) if a != b), min(len(x), len(y))) for x, y in zip(first, second))


def compare_logits(log, name, reference, measured, bound):
    if not reference or [(at["pos"], at["token"]) for at in reference] != [(at["pos"], at["token"]) for at in measured]:
        raise RuntimeError(f"{len(measured)} positions or other tokens than the {len(reference)} of the reference")
    mean = sum(map(divergence, reference, measured)) / len(reference)
    same = sum(a["top"][0][0] == b["top"][0][0] for a, b in zip(reference, measured))
    log.check(name, mean <= bound, f"KL {mean:.1e} (bound {bound:.0e}) over {len(reference)} positions, best token the same at {same}")


def check_texts(log, budget, model, options):
    device, name = options.device, model.path.name
    some = {"n": options.n_greedy, "prompts": PROMPTS[:options.n_prompts]}
    alone = model.ids(device, "--parallel", 1, "--no-prefix-cache", **some)
    total = sum(map(len, alone))
    log.check(f"{name}: ids do not depend on the batch", model.ids(device, "--parallel", 4, **some) == alone, f"{total} ids")
    graphs = model.ids(device, n=options.n_decode, prompts=PROMPTS[:1])
    plain = model.ids(device, "--no-graphs", n=options.n_decode, prompts=PROMPTS[:1])
    log.check(f"{name}: recorded steps equal plain ones", graphs == plain, f"{agree(graphs, plain)} of {len(plain[0])} ids")
    same = agree(alone, model.ids("cpu", "--parallel", 1, **some))
    log.check(f"{name}: greedy texts as the CPU's", same >= MIN_AGREEMENT * total > 0,
              f"{same} of {total} tokens before the first that differs, which only a near tie may (bound {MIN_AGREEMENT:.0%})")


def check_logits(log, budget, model, options):
    name, text = model.path.name, ROOT / "README.md"
    compare_logits(log, f"{name}: logits as the CPU's", model.logits("cpu", text, options.n_positions),
                   model.logits(options.device, text, options.n_positions), options.max_divergence)
    golden = pathlib.Path(os.environ.get("ROCMFORGE_GOLDEN", "/nowhere"))
    reference = golden / "logits" / f"{model.path.stem}.jsonl"
    if reference.is_file():
        lines = [json.loads(line) for line in reference.read_text().splitlines()[:options.n_positions]]
        compare_logits(log, f"{name}: logits as the exact ones", lines, model.logits(options.device, golden / "text.txt", options.n_positions),
                       MAX_GOLDEN_DIVERGENCE)


def percent(row, key):
    return f"{row[key]:.0f} %" if row.get(key) else "not known"


def bench(log, budget, model, options):
    """Speed with the shares of bandwidth and peak; then the three ops of the profile that are furthest from their floor."""
    flags = ["-p", options.n_bench, "-n", min(64, options.n_bench), "-b", options.batches, "-r", options.n_repetitions, "--json"]
    for row in json.loads(model.run("bench", options.device, *flags)):
        reads = f"{row['bytes_per_token'] * row['avg_ts'] / 1e9:.0f}" if row["n_gen"] else ""
        log.add(f"| {model.path.name} | {row['test']} | {row['avg_ts']:.0f} ± {row['stddev_ts']:.0f} | {reads} | {percent(row, 'pct_bandwidth')} | "
                f"{percent(row, 'pct_peak')} | |")
    for row in json.loads(model.run("bench", options.device, "-p", options.n_bench, "-n", min(64, options.n_bench), "-r", 1, "--profile", "--json")):
        ops = sorted((op for op in row.get("profile", []) if op["pct_roofline"]), key=lambda op: op["seconds"] * (op["pct_roofline"] - 100))
        words = "; ".join(f"{op['op']} {op['kernel']} {op['pct_roofline']:.0f} % of its floor, {op['pct_time']:.0f} % of the time" for op in ops[:3])
        log.add(f"| {model.path.name} | {row['test']}, profile | | | | | {words or 'no floor is known'} |")


def make_models(log, budget, build, size, paths):
    """Models of random weights, one for each mixture; their paths are added."""
    program = next((path for path in build.rglob("rf_random_model") if path.is_file()), None)
    if program is None:
        raise RuntimeError(f"rf_random_model is not in {build}")
    for mix in RANDOM_MIXES:
        path = build / f"random-{mix}.gguf"
        done = budget.run(program, path, size, mix)
        if done.returncode != 0:
            raise RuntimeError(f"{path} was not made: {done.stderr.strip()[-200:]}")
        paths.append(path)


def describe(log, program, device):
    devices = json.loads(subprocess.run([program, "devices", "--json"], capture_output=True, text=True, timeout=60).stdout or "[]")
    if device.startswith("emulated"):  # never listed: only tests ask for it
        devices.append({"kind": "emulated", "name": "block emulator", "isa": device})
    found = [one for one in devices if one["kind"] == device.split(":")[0]]
    commit = first_line("git", "-C", ROOT, "rev-parse", "--short", "HEAD") or os.environ.get("ROCMFORGE_COMMIT", "unknown")
    driver = first_line("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader") or first_line("cat", "/sys/module/amdgpu/version")
    log.add(f"# Run on a GPU, {datetime.date.today()}")
    log.add()
    for key, value in {"device": ", ".join(f"{one['name']} ({one['isa']})" for one in found) or "none", "driver": driver or "unknown",
                       "system": platform.platform(), "commit": commit}.items():
        log.add(f"- {key}: {value}")
    log.add()
    return bool(found)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--log", type=pathlib.Path, required=True)
    parser.add_argument("--device", default="hip:0")
    parser.add_argument("--limit", type=float, default=570, help="seconds for all of it")
    parser.add_argument("--sanitize", action="store_true", help="compute-sanitizer over the conformance cases instead of the rest")
    parser.add_argument("--cases", help="a filter of conformance cases; default: all of the device")
    parser.add_argument("--random-models", metavar="SIZE", help="models of random weights, of a size of rf_random_model, besides those given")
    parser.add_argument("--max-divergence", type=float, default=MAX_DIVERGENCE, help="nats, mean KL to the CPU's logits")
    for name, default in {"prompts": len(PROMPTS), "greedy": 64, "decode": 1000, "positions": 256, "bench": 512, "repetitions": 3}.items():
        parser.add_argument(f"--n-{name}", type=int, default=default, help="default %(default)s; tests take fewer")
    parser.add_argument("--batches", default="1,16", help="of the bench")
    parser.add_argument("models", nargs="*", type=pathlib.Path)
    return parser.parse_args()


def check_all(log, budget, options):
    program, build = options.build / "rocmforge", options.build
    cases = options.cases or f"*{options.device.split(':')[0]}*:Pairs*"
    if options.sanitize:
        part(log, budget, "compute-sanitizer", 1, check_sanitizers, build, cases)
        return
    part(log, budget, "rf_hip_test", 0.2, run_gtest, build, "rf_hip_test", "*")
    part(log, budget, "faults", 0.2, check_faults, build)
    part(log, budget, "rf_conformance_test", 0.5, run_gtest, build, "rf_conformance_test", cases)
    if options.random_models:
        part(log, budget, "random models", 0.2, make_models, build, options.random_models, options.models)
    models = [Model(program, path, budget) for path in options.models]
    for model in models:
        name = model.path.name
        part(log, budget, f"{name}: weights", 0.2, check_weights, program, model.path, options.device)
        part(log, budget, f"{name}: texts", 0.3, check_texts, model, options)
        part(log, budget, f"{name}: logits", 0.3, check_logits, model, options)
    log.add("\n| model | test | tok/s | GB/s read | of bandwidth | of peak | |\n|---|---|---|---|---|---|---|")
    for model in models:
        part(log, budget, f"{model.path.name}: bench", 0.3, bench, model, options)


def main():
    options = parse()
    log, budget = Log(), Budget(options.limit)
    program = options.build / "rocmforge"
    if not program.is_file():
        sys.exit(f"{program} is missing: scripts/gpu-verify.sh builds it, and all else that is needed")
    if not describe(log, program, options.device):
        print(subprocess.run([program, "devices"], capture_output=True, text=True, timeout=60).stdout, file=sys.stderr)
        sys.exit(f"there is no device {options.device}: nothing was checked")
    log.add("| check | result | |\n|---|---|---|")
    check_all(log, budget, options)
    log.add(f"\n{log.n_checks} checks, {len(log.failures)} failed" + "".join(f"\n- {name}" for name in log.failures))
    options.log.parent.mkdir(parents=True, exist_ok=True)
    options.log.write_text("\n".join(log.lines) + "\n")
    sys.exit(1 if log.failures or log.n_checks == 0 else 0)


if __name__ == "__main__":
    main()
