"""`toolcall`: replies taken apart on the command line."""
import json

import pytest
from conftest import run, run_json, run_jsonl

TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}}}]


@pytest.fixture
def tools_file(tmp_path):
    file = tmp_path / "tools.json"
    file.write_text(json.dumps(TOOLS))
    return file


def golden_lines(golden):
    schemas = {tool["function"]["name"]: tool for tool in json.loads((golden / "templates/toolcall_tools.json").read_text())}
    with open(golden / "templates/toolcalls.jsonl", encoding="utf-8") as file:
        for line in map(json.loads, file):
            yield line, {"format": line["format"], "text": line["model_output"], "tools": [schemas[name] for name in line["tools"]],
                         **{key: line[key] for key in ("prompt_suffix", "truncated") if key in line}}


def normal(reply):
    calls = [{key: call[key] for key in ("name", "arguments", "id") if key in call} for call in reply["tool_calls"]]
    return (reply.get("content") or "").strip(), (reply.get("reasoning_content") or "").strip(), calls


def test_golden_replies(golden):
    cases = list(golden_lines(golden))
    replies = run_jsonl("toolcall", lines=[line for _, line in cases])
    assert len(replies) == len(cases) == 541
    for (case, _), reply in zip(cases, replies):
        assert normal(reply) == normal(case["expected"]), case
        assert reply.get("pending") == case.get("pending"), case


def test_one_reply(tools_file):
    reply = run_json("toolcall", "hermes", "--tools", tools_file,
                     stdin='<think>hm</think>Look: <tool_call>{"name": "get_weather", "arguments": {"city": "Oslo"}}</tool_call>')
    assert reply == {"content": "Look:", "reasoning_content": "hm",
                     "tool_calls": [{"name": "get_weather", "arguments": {"city": "Oslo"}}]}


def test_a_model_tells_its_format(smollm2, tools_file):
    reply = run_json("toolcall", smollm2, "--tools", tools_file,
                     stdin='{"tool_call": {"name": "get_weather", "arguments": {"days": 2}}}')
    assert reply["tool_calls"] == [{"name": "get_weather", "arguments": {"days": 2}}]


def test_what_is_no_call_is_text_with_a_warning(tools_file):
    text = '<tool_call>{"name": "get_weather", "arguments": {"city": }}</tool_call>'
    reply = run_json("toolcall", "hermes", "--tools", tools_file, stdin=text)
    assert reply["content"] == text and reply["tool_calls"] == []
    assert len(reply["warnings"]) == 1
    cut = run_json("toolcall", "hermes", "--tools", tools_file, "--truncated", stdin=text[:50])
    assert cut["content"] == "" and cut["pending"] == {"name": "get_weather"}


def test_formats_are_listed():
    names = run("toolcall", "--list", check=True).stdout.split()
    assert len(names) == len(set(names)) == 31 and "hermes" in names


def test_mistakes(tools_file, tmp_path):
    assert run("toolcall", stdin="").returncode == 2
    assert run("toolcall", "hermes", stdin="").returncode == 2
    missing = run("toolcall", "no-such-format", "--tools", tools_file, stdin="")
    assert missing.returncode != 0 and "no-such-format" in missing.stderr and "toolcall --list" in missing.stderr
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"a": 1}')
    assert run("toolcall", "hermes", "--tools", wrong, stdin="").returncode == 2
    line = run("toolcall", "--jsonl", stdin='{"format": "none", "text": "x"}\n')
    assert line.returncode != 0 and "none" in line.stderr
