"""compute-sanitizer's four tools over the conformance cases of an NVIDIA GPU: called by tools/gpu_verify.py --sanitize."""
import concurrent.futures
import os
import shutil

from gpu_verify_log import OutOfTime

TOOLS = ["memcheck", "racecheck", "synccheck", "initcheck"]
N_SHARDS = 24  # of each tool: 16 cores and one H200 take five minutes for all four
# A tool's own last word, without which a process counts as unfinished.
CLEAN = ["ERROR SUMMARY: 0 errors", "RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)"]


def run_shard(budget, command, shard):
    """'clean', 'errors' or 'unfinished': what the tool says of one shard of the cases."""
    env = {**os.environ, "ROCMFORGE_CONFORMANCE": "tiny", "GTEST_TOTAL_SHARDS": str(N_SHARDS), "GTEST_SHARD_INDEX": str(shard)}
    try:
        done = budget.run(*command, env=env)
    except OutOfTime:
        return "unfinished"
    output = done.stdout + done.stderr
    if "SUMMARY:" not in output:
        return "unfinished"
    return "clean" if done.returncode == 0 and any(words in output for words in CLEAN) else "errors"


def check_sanitizers(log, budget, build, cases):
    program = shutil.which("compute-sanitizer")
    if program is None:
        raise RuntimeError("compute-sanitizer is not in PATH")
    binary = next((path for path in build.rglob("rf_conformance_test") if path.is_file()), None)
    if binary is None:
        raise RuntimeError(f"rf_conformance_test is not in {build}")
    with concurrent.futures.ThreadPoolExecutor(N_SHARDS) as pool:
        results = {}
        for tool in TOOLS:
            command = [program, "--tool", tool, "--launch-timeout", 300, "--show-backtrace", "no", "--error-exitcode", 99, binary,
                       f"--gtest_filter={cases}"]
            results[tool] = [pool.submit(run_shard, budget, command, shard) for shard in range(N_SHARDS)]
        for tool, shards in results.items():
            words = [shard.result() for shard in shards]
            counts = ", ".join(f"{words.count(word)} {word}" for word in ["clean", "errors", "unfinished"])
            log.check(f"compute-sanitizer {tool}", words.count("clean") == N_SHARDS, f"{N_SHARDS} processes: {counts}")
