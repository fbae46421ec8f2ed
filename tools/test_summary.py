#!/usr/bin/env python3
"""Adds up test results and prints `N passed, N failed, N skipped` as the last line; exits 1 if anything failed or nothing ran.

Usage: tools/test_summary.py RESULTS_DIR
RESULTS_DIR holds GoogleTest and pytest XML files (any depth) and `checks.tsv`: lines of `pass|fail|skip<TAB>name<TAB>detail`, one for each
check that is in none of them (a build, a lint, a fuzzing run, a test program that died before it wrote its XML).
"""
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def gtest_cases(path):
    """Yields (status, name, detail) of each case in one file."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{path.parent.parent.name}: {case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        failure = case.find("failure")
        if failure is None:
            failure = case.find("error")  # pytest's word for what fails in a fixture
        if failure is not None:
            yield "fail", name, (failure.get("message") or "").strip().splitlines()[0:1]
        elif skipped is not None:
            yield "skip", name, [(skipped.get("message") or skipped.text or "").strip().replace("\n", " ")]
        elif case.get("status") == "notrun":
            continue  # disabled by name: counted nowhere, and there must be none
        else:
            yield "pass", name, []


def all_cases(root):
    for path in sorted(root.rglob("*.xml")):
        yield from gtest_cases(path)
    checks = root / "checks.tsv"
    for line in checks.read_text().splitlines() if checks.exists() else []:
        status, name, detail = (line.split("\t") + ["", ""])[:3]
        yield status, name, [detail]


def main():
    counts = {"pass": 0, "fail": 0, "skip": 0}
    reasons = {}
    for status, name, detail in all_cases(pathlib.Path(sys.argv[1])):
        counts[status] += 1
        if status == "fail":
            print(f"FAILED  {name}  {' '.join(detail)}")
        elif status == "skip":
            reasons.setdefault(" ".join(detail)[-160:] or "no reason given", []).append(name)
    for reason, names in sorted(reasons.items()):
        print(f"skipped {len(names)} ({names[0]}{', ...' if len(names) > 1 else ''}): {reason}")
    print(f"{counts['pass']} passed, {counts['fail']} failed, {counts['skip']} skipped")
    sys.exit(1 if counts["fail"] or not counts["pass"] else 0)


if __name__ == "__main__":
    main()
