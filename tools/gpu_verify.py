#!/usr/bin/env python3
"""Runs the tests and models on a GPU and writes what came of it; scripts/gpu-verify.sh builds and calls it.

    gpu_verify.py --build FOLDER --log FILE [--device hip:0] MODEL...
"""
import argparse
import datetime
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROMPTS = ["The capital of France is", "def fibonacci(n):\n", "Once upon a time there was", "Die Quadratwurzel aus 16 ist"]
N_GREEDY = 64
N_DECODE = 1000     # steps by recorded graphs that must equal those without
N_POSITIONS = 256   # of a text, whose logits are compared
MAX_DIVERGENCE = 1e-4  # nats, mean over the positions, between the GPU's and the CPU's logits


class Log:
    """Lines of the log, and what failed."""

    def __init__(self):
        self.lines = []
        self.failures = []

    def add(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def check(self, name, is_good, detail):
        self.add(f"| {name} | {'pass' if is_good else '**FAIL**'} | {detail} |")
        if not is_good:
            self.failures.append(name)


def run(*command, stdin=None, timeout=400):
    return subprocess.run([str(part) for part in command], input=stdin, capture_output=True, text=True, timeout=timeout)


def first_line(*command):
    try:
        return (run(*command).stdout.splitlines() or [""])[0]
    except OSError:
        return ""


def run_gtest(log, build, name, gpu_filter):
    """One GoogleTest program; its counts."""
    binary = next(path for path in build.rglob(name) if path.is_file())
    report = build / f"{name}.json"
    report.unlink(missing_ok=True)
    started = time.time()
    done = run(binary, f"--gtest_filter={gpu_filter}", "--gtest_brief=1", f"--gtest_output=json:{report}")
    if not report.exists():
        log.check(name, False, f"ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
        return
    cases = [case for suite in json.loads(report.read_text())["testsuites"] for case in suite["testsuite"]]
    failed = [case["name"] for case in cases if case.get("failures")]
    skipped = [case for case in cases if case.get("result") == "SKIPPED"]
    log.check(name, done.returncode == 0 and not failed and len(cases) > len(skipped),
              f"{len(cases) - len(failed) - len(skipped)} passed, {len(failed)} failed, {len(skipped)} skipped, "
              f"{time.time() - started:.0f} s {' '.join(failed[:5])}")


class Model:
    def __init__(self, program, path):
        self.program = program
        self.path = path

    def lines(self, device, *flags, n=N_GREEDY, prompts=PROMPTS):
        """The ids of each prompt's greedy continuation, and the engine's errors."""
        text = "".join(json.dumps({"prompt": prompt, "n": n}) + "\n" for prompt in prompts)
        done = run(self.program, "generate", self.path, "--jsonl", "--ignore-eos", "--device", device, *flags, stdin=text)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        if done.returncode != 0 or any("error" in answer for answer in answers):
            raise RuntimeError(done.stderr.strip() or str(answers))
        return [answer["ids"] for answer in answers]

    def logits(self, device, text_file):
        done = run(self.program, "logits", self.path, "--text-file", text_file, "--limit", N_POSITIONS, "--top", 128, "--json", "--device", device)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        return [json.loads(line) for line in done.stdout.splitlines()]


def divergence(reference, measured):
    """Kullback-Leibler divergence at one position, over the reference's listed tokens that the other lists too."""
    ours = dict(map(tuple, measured["top"]))
    return sum(math.exp(p) * (p - ours[token]) for token, p in reference["top"] if token in ours)


def agree(first, second):
    """How many tokens are equal before the first that is not, over all prompts."""
    return sum(next((i for i, (a, b) in enumerate(zip(x, y)) if a != b), min(len(x), len(y))) for x, y in zip(first, second))


def check_model(log, model, device):
    name = model.path.name
    try:
        alone = model.lines(device, "--parallel", 1, "--no-prefix-cache")
        total = sum(map(len, alone))
        log.check(f"{name}: ids do not depend on the batch", model.lines(device, "--parallel", 4) == alone, f"{total} ids")
        graphs = model.lines(device, n=N_DECODE, prompts=PROMPTS[:1])
        plain = model.lines(device, "--no-graphs", n=N_DECODE, prompts=PROMPTS[:1])
        log.check(f"{name}: recorded steps equal plain ones", graphs == plain, f"{agree(graphs, plain)} of {len(plain[0])} ids")
        cpu = model.lines("cpu", "--parallel", 1)
        pairs = list(zip(model.logits("cpu", ROOT / "README.md"), model.logits(device, ROOT / "README.md")))
        mean = sum(divergence(*pair) for pair in pairs) / len(pairs)
        same = sum(a["top"][0][0] == b["top"][0][0] for a, b in pairs)
        log.check(f"{name}: logits as the CPU's", abs(mean) <= MAX_DIVERGENCE,
                  f"KL {mean:.1e} over {len(pairs)} positions, best token the same at {same}; greedy texts agree in {agree(alone, cpu)} of {total} tokens")
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        log.check(name, False, str(error)[:300])


def bench(log, model, device):
    done = run(model.program, "bench", model.path, "--device", device, "-p", 512, "-n", 64, "-b", "1,16", "-r", 3, "--json")
    if done.returncode != 0:
        log.check(f"{model.path.name}: bench", False, done.stderr.strip()[:300])
        return
    for row in json.loads(done.stdout):
        reads = f"{row['bytes_per_token'] * row['avg_ts'] / 1e9:.0f} GB/s" if row["n_gen"] else ""
        log.add(f"| {model.path.name} | {row['test']} | {row['avg_ts']:.0f} ± {row['stddev_ts']:.0f} | {reads} |")


def describe(log, program, device):
    devices = json.loads(run(program, "devices", "--json").stdout)
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--log", type=pathlib.Path, required=True)
    parser.add_argument("--device", default="hip:0")
    parser.add_argument("models", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    program = options.build / "rocmforge"
    log = Log()
    if not describe(log, program, options.device):
        print(run(program, "devices").stdout + run(program, "devices").stderr, file=sys.stderr)
        sys.exit(f"there is no device {options.device}: nothing was checked")
    log.add("| check | result | |\n|---|---|---|")
    run_gtest(log, options.build, "rf_hip_test", "*")
    run_gtest(log, options.build, "rf_gpu_faults_test", "*")
    run_gtest(log, options.build, "rf_conformance_test", f"*{options.device.split(':')[0]}*")
    models = [Model(program, path) for path in options.models]
    for model in models:
        check_model(log, model, options.device)
    log.add("\n| model | test | tok/s | weights and cache read |\n|---|---|---|---|")
    for model in models:
        bench(log, model, options.device)
    log.add(f"\n{len(log.failures)} failed" + "".join(f"\n- {name}" for name in log.failures))
    options.log.parent.mkdir(parents=True, exist_ok=True)
    options.log.write_text("\n".join(log.lines) + "\n")
    sys.exit(1 if log.failures else 0)


if __name__ == "__main__":
    main()
