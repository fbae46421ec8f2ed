"""`tokenize`, `detokenize` and `template` against results of other programs, and with input that is wrong."""
import json

import pytest
from conftest import run, run_json, run_jsonl


def cases(golden, name):
    with open(golden / "tokenizer/cases" / name, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def is_comparable(case):
    """Disputed inputs have two answers, and text that is not UTF-8 only a record; the C++ tests sort those out."""
    return "text" in case and "ids" in case and not case.get("disputed")


@pytest.mark.parametrize("model", ["smollm2", "gemma3"])
def test_golden_ids(model, request, golden):
    lines = [case for case in cases(golden, f"model-{model}.jsonl") if is_comparable(case)]
    assert len(lines) > 500
    ours = run_jsonl("tokenize", request.getfixturevalue(model),
                     lines=[{key: case[key] for key in ("text", "add_special", "parse_special")} for case in lines])
    # `▁▁` as plain text: the original library and the record differ on it in every line that holds it.
    wrong = [case["text"] for case, our in zip(lines, ours)
             if our["ids"] != case["ids"] and not ("▁" in case["text"] or "</s>" in case["text"])]
    assert not wrong
    assert len(ours) == len(lines)


@pytest.mark.parametrize("model", ["smollm2", "gemma3"])
def test_golden_text(model, request, golden):
    lines = cases(golden, f"model-{model}.detok.jsonl")
    ours = run_jsonl("detokenize", request.getfixturevalue(model),
                     lines=[{"tokens": case["ids"], "remove_special": case["remove_special"],
                             "unparse_special": case["unparse_special"]} for case in lines])
    for case, our in zip(lines, ours, strict=True):
        assert our == ({"text": case["text"]} if "text" in case else {"bytes_hex": case["bytes_hex"]})


def test_a_text_from_anywhere(smollm2, tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("Hello world")
    wanted = {"ids": [19556, 905], "pieces": ["Hello", " world"]}
    assert run_json("tokenize", smollm2, "Hello world") == wanted
    assert run_json("tokenize", smollm2, "--text-file", file) == wanted
    assert run_json("tokenize", smollm2, stdin="Hello world") == wanted
    assert run_json("tokenize", smollm2, "") == {"ids": [], "pieces": []}
    assert run("tokenize", smollm2, "Hello world", check=True).stdout.split() == ["19556", "'Hello'", "905", "'", "world'"]


@pytest.mark.parametrize("tokens, entry", [("-1", 0), ("1,49152", 1), ("2147483648", 0), ("1.5", 0), ('"5"', 0), ("1,,2", 1),
                                           ("1,2,", 2), ("99999999999999999999", 0), ("1 2", 0)])
def test_ids_outside_the_vocabulary(smollm2, tokens, entry):
    result = run("detokenize", smollm2, f"--tokens={tokens}")
    assert result.returncode == 2
    assert f"--tokens entry {entry}" in result.stderr


@pytest.mark.parametrize("value", [-1, 49152, 2**31, 2**63, 2**64 - 1, 1.5, "5", None, [1]])
def test_ids_in_json(smollm2, value):
    result = run("detokenize", smollm2, "--jsonl", stdin=json.dumps({"tokens": [1, 2, 3, value]}) + "\n")
    assert result.returncode == 2
    assert "tokens[3]" in result.stderr and "line 1" in result.stderr


@pytest.mark.parametrize("raw, byte", [(b"\x80", 0), (b"ab\xc0\x80", 2), (b"\xed\xa0\x80", 0), (b"abc\xff", 3), (b"a\xe2\x82", 1)])
def test_json_lines_that_are_not_utf8(smollm2, raw, byte):
    line = b'{"text": "' + raw + b'"}\n'
    result = run("tokenize", smollm2, "--jsonl", stdin=line, text=False)
    assert result.returncode == 2
    assert f"invalid UTF-8 at byte {byte + line.index(raw)}".encode() in result.stderr


def test_lone_surrogate_escapes_are_refused(smollm2):
    result = run("tokenize", smollm2, "--jsonl", stdin='{"text": "\\ud800"}\n')
    assert result.returncode == 2 and "line 1" in result.stderr


@pytest.mark.parametrize("line", ["[1]", "5", "{", '{"text": 5}', "{}", '{"text": "a", "add_special": 1}', "[" * 100000])
def test_json_lines_of_another_shape(smollm2, line):
    result = run("tokenize", smollm2, "--jsonl", stdin=line + "\n")
    assert result.returncode == 2 and "line 1" in result.stderr and len(result.stderr) < 300


def render(template, context):
    return run_jsonl("template", lines=[{"template": template, "context": context}])[0]


@pytest.fixture
def messages(tmp_path):
    file = tmp_path / "messages.json"
    file.write_text(json.dumps([{"role": "user", "content": "Hi"}]))
    return file


def test_the_models_own_template(smollm2, messages):
    output = run_json("template", smollm2, "--messages", messages)["output"]
    assert output == ("<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
                      "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")
    assert run("template", smollm2, "--messages", messages, check=True).stdout == output
    assert run_json("template", smollm2, "--messages", messages, "--no-generation-prompt")["output"] == output[:-22]


def test_published_templates(golden):
    """Every template on every conversation, as Hugging Face's renderer makes it."""
    folder = golden / "templates"
    lines, wanted = [], []
    for file in sorted((folder / "expected").glob("*.jsonl")):
        for text in open(file, encoding="utf-8"):
            case = json.loads(text)
            if "output" not in case:
                continue
            conversation = json.loads((folder / "conversations" / f"{case['conversation']}.json").read_text())
            context = {"messages": conversation["messages"], "tools": conversation.get("tools"),
                       "documents": conversation.get("documents"), "bos_token": case["bos_token"],
                       "eos_token": case["eos_token"], "add_generation_prompt": case["add_generation_prompt"], **case["kwargs"]}
            lines.append({"template_file": str(folder / "jinja" / f"{file.stem}.jinja"), "context": context})
            wanted.append(case["output"])
    assert len(lines) > 3000
    ours = run_jsonl("template", "--now", "2026-01-15T12:00:00", lines=lines)
    wrong = [line["template_file"] for line, our, want in zip(lines, ours, wanted, strict=True) if our != {"output": want}]
    assert not wrong


@pytest.mark.parametrize("template", ["{{ ''.__class__.__mro__ }}", "{{ self }}", "{{ cycler.__init__.__globals__ }}",
                                      "{{ lipsum.__globals__ }}", "{{ ''.__class__ }}", "{{ [].__class__.__base__ }}"])
def test_nothing_of_the_host_is_reachable(template):
    result = render(template, {})
    text = result.get("output", "")
    assert "error" in result or text == "", result
    assert "class" not in text and "module" not in text


@pytest.mark.parametrize("template", ["{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{{ " + "(" * 100000 + "1" + ")" * 100000 + " }}",
                                      "{% if true %}" * 100000 + "{% endif %}" * 100000])
def test_depth_is_limited(template):
    error = render(template, {})["error"]
    assert "deep" in error or "depth" in error or "bytes" in error, error


@pytest.mark.parametrize("template", ["{% if", "{{ a", "{# a", "{{ 'a' | no_such_filter }}", "{% nonsense %}", "a\0b",
                                      "x" * (10 << 20)])
def test_what_is_no_template(template, tmp_path, messages):
    assert "template:" in render(template, {})["error"]
    file = tmp_path / "bad.jinja"
    file.write_text(template)
    result = run("template", "--template-file", file, "--messages", messages, "--json")
    assert result.returncode == 1
    assert "error" in json.loads(result.stdout)
    assert "template:" in result.stderr and len(result.stderr) <= 300


def test_what_a_template_raises(tmp_path, messages):
    file = tmp_path / "strict.jinja"
    file.write_text("{{ raise_exception('only tools here') }}")
    result = run("template", "--template-file", file, "--messages", messages, "--json")
    assert result.returncode == 1
    assert json.loads(result.stdout) == {"error": "only tools here"}
    assert "only tools here" in result.stderr


@pytest.mark.parametrize("code_point", ["\u202e", "\u200b", "\u2066"])
def test_invisible_characters_are_warned_of(tmp_path, messages, code_point):
    file = tmp_path / "odd.jinja"
    file.write_text("a\n b" + code_point + "{{ messages[0].content }}", encoding="utf-8")
    result = run("template", "--template-file", file, "--messages", messages, check=True)
    assert "warning: chat template:2:3" in result.stderr and f"U+{ord(code_point):04X}" in result.stderr


def test_a_base_model_has_no_template(gemma3, messages):
    result = run("template", gemma3, "--messages", messages)
    assert result.returncode == 2 and "--template-file" in result.stderr


@pytest.mark.parametrize("arguments", [[], ["--messages", "/no/such"], ["--now", "yesterday"], ["--kwargs", "[]"], ["--kwargs", "{"]])
def test_wrong_arguments(smollm2, messages, arguments):
    given = arguments if "--messages" in arguments or not arguments else [*arguments, "--messages", messages]
    assert run("template", smollm2, *given).returncode in (2, 6)
