#!/usr/bin/env python3
"""Speed beside llama.cpp on the same machine: both engines in turn on each model, medians and ratios.

  tools/bench_compare.py --peer "llama-bench" [-p 512] [-n 64] [--threads 2] [--rounds 5] [--isa NAME] [--record FILE.json]
                         [--markdown FILE] [--plot FILE.svg] MODEL...

Each round runs ROCmForge's `bench` and then the peer's llama-bench (or a program with its options and its JSON, ik_llama.cpp's for
one) once for each model, so that what else the machine does meets both. Prints a Markdown table: medians of the rounds, and of the
rounds' ratios. Exits 1 if either program fails.

--isa has ROCmForge use a weaker instruction set than the machine's best. llama.cpp, where it is packaged with a library for each,
takes the best of the libggml-cpu-*.so that it finds: make it see the one that belongs to the set, and no other. --record keeps every round's figures, so
that a long comparison can be made in parts: a later call takes those that are there into its medians.
"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run_json(command, variables=()):
    """The JSON that a command prints, run with NAME=VALUE variables; ends the program with its errors if it fails."""
    environment = {**os.environ, **dict(variable.split("=", 1) for variable in variables)}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if result.returncode != 0:
        sys.exit(f"{shlex.join(command)}: exit status {result.returncode}\n{result.stderr.strip()[-2000:]}")
    return json.loads(result.stdout)


def measure_ours(program, model, options):
    """Tokens a second by test: {"pp512": ..., "tg64": ...}."""
    isa = ["--isa", options.isa] if options.isa else []
    command = [program, "bench", model, *isa, "-p", str(options.prompt), "-n", str(options.gen), "-r", "1", "--threads",
               str(options.threads), "--json", *shlex.split(options.ours_options)]
    return {row["test"]: row["avg_ts"] for row in run_json(command, options.ours_env)}


def measure_peer(program, model, options):
    """The same of llama-bench."""
    command = [*shlex.split(program), "-m", model, "-t", str(options.threads), "-p", str(options.prompt), "-n", str(options.gen),
               "-r", "1", "-o", "json"]
    rows = run_json(command, options.peer_env)
    return {f"pp{row['n_prompt']}" if row["n_prompt"] else f"tg{row['n_gen']}": row["avg_ts"] for row in rows}


def read_record(path):
    """{(model, test): ([ours], [peer's])} of a file that write_record wrote; empty without one."""
    if not path or not Path(path).exists():
        return {}
    rows = json.loads(Path(path).read_text(encoding="utf-8"))
    return {(row["model"], row["test"]): (row["ours"], row["peer"]) for row in rows}


def write_record(path, found):
    """Keeps the rounds' figures for read_record."""
    if path:
        rows = [{"model": model, "test": test, "ours": ours, "peer": peer} for (model, test), (ours, peer) in found.items()]
        Path(path).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def measure_rounds(options):
    """[(model, test, [ours], [peer's])] in the order of the models, behind what was recorded before."""
    found = read_record(options.record)
    for number in range(options.rounds):
        for model in options.models:
            path = os.path.abspath(model)
            ours = measure_ours(options.program, path, options)
            peer = measure_peer(options.peer, path, options)
            for test, speed in ours.items():
                pair = found.setdefault((Path(model).stem, test), ([], []))
                pair[0].append(speed)
                pair[1].append(peer[test])
            write_record(options.record, found)
        print(f"round {number + 1} of {options.rounds} done", file=sys.stderr)
    return [(model, test, ours, peer) for (model, test), (ours, peer) in found.items()]


def ratio_of(ours, peer):
    """The median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(ours, peer))


def table_of(rows, peer_name):
    """A Markdown table."""
    lines = [f"| model | test | ROCmForge tok/s | {peer_name} tok/s | ratio |", "|---|---|---|---|---|"]
    for model, test, ours, peer in rows:
        lines.append(f"| {model} | {test} | {statistics.median(ours):.1f} | {statistics.median(peer):.1f} | {ratio_of(ours, peer):.2f} |")
    return "\n".join(lines) + "\n"


def plot_of(rows, peer_name):
    """Horizontal bars of the ratios, with a line at 1, as SVG."""
    largest = max(1.0, *(ratio_of(ours, peer) for _, _, ours, peer in rows))
    unit, line, left = 420 / largest, 18, 230
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + 500}" height="{line * (len(rows) + 2)}" '
             'font-family="sans-serif" font-size="12">',
             f'<text x="4" y="14">Speed as a multiple of {peer_name}\'s</text>']
    for i, (model, test, ours, peer) in enumerate(rows):
        ratio, y = ratio_of(ours, peer), line * (i + 1) + 6
        parts.append(f'<text x="4" y="{y + 12}">{model} {test}</text>')
        parts.append(f'<rect x="{left}" y="{y + 2}" width="{ratio * unit:.0f}" height="{line - 5}" fill="#3a76c4"/>')
        parts.append(f'<text x="{left + 4 + ratio * unit:.0f}" y="{y + 12}">{ratio:.2f}</text>')
    x = left + unit
    parts.append(f'<line x1="{x:.0f}" y1="20" x2="{x:.0f}" y2="{line * (len(rows) + 1) + 6}" stroke="#444"/></svg>')
    return "\n".join(parts) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="GGUF files")
    parser.add_argument("--peer", default="llama-bench", help="the peer's llama-bench, a command line")
    parser.add_argument("--peer-name", default="llama.cpp")
    parser.add_argument("--program", default=str(ROOT / "build/release/rocmforge"))
    parser.add_argument("--ours-options", default="", help="more options for ROCmForge's bench")
    parser.add_argument("--isa", default="", help="ROCmForge's instruction set")
    parser.add_argument("--ours-env", action="append", default=[], metavar="NAME=VALUE", help="a variable of ROCmForge's environment")
    parser.add_argument("--peer-env", action="append", default=[], metavar="NAME=VALUE", help="a variable of the peer's environment")
    parser.add_argument("--record", metavar="FILE", help="keeps every round's figures there, and counts those that are there already")
    parser.add_argument("-p", dest="prompt", type=int, default=512)
    parser.add_argument("-n", dest="gen", type=int, default=64)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--markdown", metavar="FILE", help="writes the table there too")
    parser.add_argument("--plot", metavar="FILE", help="writes the ratios as an SVG picture")
    options = parser.parse_args()
    rows = measure_rounds(options)
    table = table_of(rows, options.peer_name)
    print(table, end="")
    if options.markdown:
        Path(options.markdown).write_text(table, encoding="utf-8")
    if options.plot:
        Path(options.plot).write_text(plot_of(rows, options.peer_name), encoding="utf-8")


if __name__ == "__main__":
    main()
