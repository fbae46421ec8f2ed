"""What the parts of tools/gpu_verify.py share: the log of checks, the time that is left, and how programs are run in it."""
import json
import subprocess
import time


class Log:
    """Lines of the log, and the checks that failed."""

    def __init__(self):
        self.lines = []
        self.failures = []
        self.n_checks = 0

    def add(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def check(self, name, is_good, detail):
        self.add(f"| {name} | {'pass' if is_good else '**FAIL**'} | {detail} |")
        self.n_checks += 1
        if not is_good:
            self.failures.append(name)


class OutOfTime(Exception):
    """A part had not ended at its deadline."""


class Budget:
    """Seconds that the whole run may take. A part gets what is left of them, and at most its own share."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.deadline = time.monotonic() + seconds
        self.part_deadline = self.deadline

    def begin(self, share):
        self.part_deadline = min(self.deadline, time.monotonic() + share * self.seconds)

    def left(self):
        return self.part_deadline - time.monotonic()

    def run(self, *command, stdin=None, env=None):
        """A program's CompletedProcess; it is killed, and OutOfTime raised, at the part's deadline."""
        try:
            return subprocess.run([str(part) for part in command], input=stdin, capture_output=True, text=True,
                                  timeout=max(self.left(), 0.01), env=env)
        except subprocess.TimeoutExpired as error:
            raise OutOfTime("left out: not ended at its deadline") from error


def part(log, budget, name, share, function, *arguments):
    """Runs one part of the checks. Whatever stops it is a failed check with the part's name: nothing is left out in silence."""
    budget.begin(share)
    if budget.left() <= 0:
        log.check(name, False, "left out: no time was left for it")
        return
    try:
        function(log, budget, *arguments)
    except (OutOfTime, RuntimeError, OSError, ValueError, KeyError) as error:
        log.check(name, False, f"{type(error).__name__}: {str(error)[:300]}")


def gtest_cases(budget, build, name, cases):
    """Runs a GoogleTest program of a build folder; its exit code and each case of its report."""
    binary = next((path for path in build.rglob(name) if path.is_file()), None)
    if binary is None:
        raise RuntimeError(f"{name} is not in {build}")
    report = build / f"{name}.json"
    report.unlink(missing_ok=True)
    done = budget.run(binary, f"--gtest_filter={cases}", "--gtest_brief=1", f"--gtest_output=json:{report}")
    if not report.exists():
        raise RuntimeError(f"ended with {done.returncode} and without a report: {done.stderr.strip()[-200:]}")
    suites = json.loads(report.read_text())["testsuites"]
    return done.returncode, [case for suite in suites for case in suite["testsuite"]]
