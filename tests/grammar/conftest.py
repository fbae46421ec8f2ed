"""Drives the program rf_grammar_texts (tests/tools/grammar_texts.cc), whose path is in ROCMFORGE_GRAMMAR_TEXTS."""
import json
import os
import subprocess

import jsonschema
import pytest

FORMATS = jsonschema.FormatChecker(["date", "ipv4", "ipv6", "email", "uuid"])


def judge(requests):
    """The program's answer to each request."""
    text = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run([os.environ["ROCMFORGE_GRAMMAR_TEXTS"]], input=text, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def is_valid(schema, document):
    return jsonschema.Draft202012Validator(schema, format_checker=FORMATS).is_valid(document)


@pytest.fixture(scope="session")
def n_schemas():
    return int(os.environ.get("ROCMFORGE_GRAMMAR_SCHEMAS", "400"))
