"""Constrained output with real models: every document is valid, whatever the model would like to say.

ROCMFORGE_GRAMMAR_SCHEMAS random schemas for each model (default 24; the full run has 200).
"""
import json
import os
import random
import re
import sys

import jsonschema
import pytest
from conftest import ROOT, run, run_json, run_jsonl

sys.path.insert(0, str(ROOT / "tests/grammar"))
from schemas import Generator  # noqa: E402

N_SCHEMAS = int(os.environ.get("ROCMFORGE_GRAMMAR_SCHEMAS", "24"))
FORMATS = jsonschema.FormatChecker(["date", "ipv4", "ipv6", "email", "uuid"])


def random_schemas(n):
    return [Generator(random.Random(seed), max_length=12, for_model=True).document_schema()[0] for seed in range(n)]


@pytest.mark.parametrize("name", ["smollm2", "gemma3"])
def test_random_schemas_give_valid_documents(name, request):
    model = request.getfixturevalue(name)
    schemas = random_schemas(N_SCHEMAS)
    chat = ["--chat"] if name == "smollm2" else []  # gemma3 is a base model without a chat template
    prompt = "Invent an example of such a record, as JSON." if chat else "An example record as JSON: "
    lines = [{"prompt": prompt, "json_schema": schema, "temp": 0.8, "seed": i, "n": 250, "id": i}
             for i, schema in enumerate(schemas)]
    answers = run_jsonl("generate", model, *chat, "--ctx", 512, "--parallel", 8, lines=lines, timeout=1500)
    n_cut = 0
    for schema, answer in zip(schemas, answers):
        shown = json.dumps(schema)
        assert "error" not in answer, (shown, answer)
        if answer["finish_reason"] == "length":
            n_cut += 1
            continue
        document = json.loads(answer["text"])
        jsonschema.Draft202012Validator(schema, format_checker=FORMATS).validate(document)
    print(f"{name}: {len(answers) - n_cut} valid documents, {n_cut} cut by the token limit")
    assert n_cut <= N_SCHEMAS // 4


def test_every_flag(smollm2, tmp_path):
    schema, grammar = tmp_path / "schema.json", tmp_path / "list.gbnf"
    schema.write_text(json.dumps({"type": "object", "properties": {"answer": {"enum": ["yes", "no"]}}, "required": ["answer"]}))
    grammar.write_text('root ::= "- " [a-z]{3,12} ("\\n- " [a-z]{3,12}){2}\n')
    ask = ["generate", smollm2, "--chat", "--temp", 0.7, "--seed", 3, "--prompt", "Is water wet?"]
    answer = run_json(*ask, "--json-schema", schema)
    assert json.loads(answer["text"])["answer"] in ("yes", "no") and answer["finish_reason"] == "stop"
    assert re.fullmatch("- [a-z]{3,12}(\n- [a-z]{3,12}){2}", run_json(*ask, "--grammar", grammar)["text"])
    assert re.fullmatch("(Yes|No), [a-z ]{5,30}[.]", run_json(*ask, "--regex", "(Yes|No), [a-z ]{5,30}[.]")["text"])
    done = run("run", smollm2, "--quiet", "--json-schema", schema, "Is water wet?", check=True)
    assert json.loads(done.stdout)["answer"] in ("yes", "no")


def test_mistakes_are_told_before_anything_is_loaded(tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text('{"properties": {"a": {"not": {}}}}')
    circle = tmp_path / "circle.json"
    circle.write_text('{"anyOf": [{"type": "null"}, {"$ref": "#"}]}')
    missing = tmp_path / "no-model.gguf"
    for flags, message in ([("--json-schema", schema), "schema.json: #/properties/a/not: the keyword 'not' cannot be enforced"],
                           [("--json-schema", tmp_path / "none.json"), "none.json"],
                           [("--regex", "a(b"), "--regex: column 2: a group is not closed"]):
        done = run("generate", missing, "--prompt", "x", *flags)
        assert done.returncode in (2, 6) and message in done.stderr, done
    done = run("generate", missing, "--prompt", "x", "--regex", "a", "--grammar", schema)
    assert done.returncode == 2


def test_a_bad_grammar_on_a_line_is_that_lines_error(smollm2):
    lines = [{"prompt": "a", "regex": "[0-9]{3}", "n": 9}, {"prompt": "a", "regex": "("}, {"prompt": "a", "grammar": 3},
             {"prompt": "a", "json_schema": {"type": "blue"}}, {"prompt": "a", "json_schema": {"const": {"a": 1}}, "n": 30}]
    answers = run_jsonl("generate", smollm2, lines=lines)
    assert re.fullmatch("[0-9]{3}", answers[0]["text"]) and json.loads(answers[4]["text"]) == {"a": 1}
    assert "regex: column 1" in answers[1]["error"] and "grammar" in answers[2]["error"]
    assert "json_schema: #/type" in answers[3]["error"]


def test_forced_runs_save_steps(smollm2, tmp_path):
    schema = tmp_path / "schema.json"
    schema.write_text(json.dumps({"type": "object", "properties": {"the_only_long_property_name": {"const": "some fixed text here"}},
                                  "required": ["the_only_long_property_name"], "additionalProperties": False}))
    done = run("generate", smollm2, "--prompt", "x", "--json-schema", schema, "--stats", "--json", check=True)
    stats = json.loads(done.stderr.strip().split("\n")[-1])
    assert stats["steps"] < 0.7 * stats["generated_tokens"], stats
