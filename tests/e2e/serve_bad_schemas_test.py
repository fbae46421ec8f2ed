"""Broken and hostile schemas, grammars and biases in requests to `serve`, on a real model."""
import json
import time
import urllib.error
import urllib.request

import openai
import pytest

from serve_test import serving


@pytest.fixture(scope="module")
def server(smollm2):
    with serving(smollm2, "--ctx", 512, "--parallel", 2) as running:
        yield running


def refusal(server, **options):
    with pytest.raises(openai.BadRequestError) as refused:
        server.chat(**options)
    return refused.value


def response_format(schema):
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}


CIRCLES = {
    '{"$ref": "#"}': "#/$ref: '#' leads back to itself",
    '{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}':
        "#/$defs/b/$ref: '#/$defs/a' leads back to itself",
    '{"anyOf": [{"type": "null"}, {"$ref": "#"}]}': "#/anyOf/1/$ref: '#'",
    '{"allOf": [{"$ref": "#"}]}': "#/allOf/0/$ref: '#'",
    '{"properties": {"a": {"oneOf": [{"$ref": "#/properties/a"}]}}}': "#/properties/a/oneOf/0/$ref: '#/properties/a'",
}
LISTS = {"type": "object", "properties": {"value": {"type": "integer", "maximum": 9},
                                          "next": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}}, "required": ["value", "next"]}


@pytest.mark.parametrize("schema", CIRCLES)
def test_a_reference_that_leads_back_to_itself(server, schema):
    refused = refusal(server, response_format=response_format(json.loads(schema)))
    assert refused.param == "response_format" and CIRCLES[schema] in refused.message


def test_recursion_through_a_property_is_fine(server):
    answer = server.chat(response_format=response_format(LISTS), max_tokens=40)
    assert answer.choices[0].message.content.startswith("{")


def post(server, body):
    """Status, error and seconds of a chat completion whose body is `body`, JSON text or an object."""
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    request = urllib.request.Request(server.url + "/chat/completions", data, {"Content-Type": "application/json"})
    begin = time.monotonic()
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            response.read()
            return response.status, {}, time.monotonic() - begin
    except urllib.error.HTTPError as refused:
        answer = json.load(refused)
        return refused.code, answer["error"], time.monotonic() - begin


def chat(**fields):
    return {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1, **fields}


def tool(parameters, name="f"):
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def nested(depth):
    return '{"items":' * depth + "{}" + "}" * depth


def body_with(schema, kind):
    """A request with the schema, JSON text, in a tool or in response_format."""
    if kind == "tools":
        return json.dumps(chat(tools=[tool("SCHEMA")])).replace('"SCHEMA"', schema)
    return json.dumps(chat(response_format=response_format("SCHEMA"))).replace('"SCHEMA"', schema)


PLACES = {"tools": "tools[0].function.parameters", "response_format": "response_format"}
BROKEN = {
    "depth": nested(10_000),
    "circle": '{"properties": {"a": {"$ref": "#/properties/a"}}}',
    "repeat": '{"properties": {"a": {"type": "string", "pattern": "foo**"}}}',
    "look-behind": '{"properties": {"a": {"type": "string", "pattern": "(?<=x)*"}}}',
    "parentheses": json.dumps({"properties": {"a": {"type": "string", "pattern": "(" * 100_000}}}),
    "type": '{"properties": {"a": {"type": "bar"}}}',
    "enum": json.dumps({"properties": {"a": {"enum": list(range(1_000_000))}}}),
    "large enum": json.dumps({"properties": {"a": {"enum": list(range(600_000))}}}),
    "additional string": '{"type": "object", "additionalProperties": "odd"}',
    "additional number": '{"type": "object", "additionalProperties": 3}',
    "additional list": '{"type": "object", "additionalProperties": []}',
    "additional null": '{"type": "object", "additionalProperties": null}',
}
LIMIT_S = 5.0  # far from what unbounded work takes, on any machine; the times are printed


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("name", BROKEN)
def test_broken_schemas_are_refused_with_their_place(server, name, kind):
    status, error, seconds = post(server, body_with(BROKEN[name], kind))
    print(f"{kind}, {name}: {seconds * 1e3:.1f} ms: {error.get('message', '')[:120]}")
    assert status == 400 and error["param"].startswith(PLACES[kind]) and seconds < LIMIT_S, error


def test_too_many_tools(server):
    status, error, seconds = post(server, chat(tools=[tool({}, f"f{i}") for i in range(10_000)]))
    print(f"10,000 tools: {seconds * 1e3:.1f} ms")
    assert status == 400 and error["param"] == "tools" and seconds < LIMIT_S


# Valid, however much of it could be enforced. (a+)+$ costs an automaton no more than a+$ does.
TOLERATED = ['{"properties": {"a": {"type": "string", "pattern": "(a+)+$"}}}', '{"not": {}, "oddity": 3, "format": "binary"}',
             '{"properties": {"a": {"pattern": "^(?=.*[A-Z]).{8,}$", "maxLength": 2147483647}}, "uniqueItems": true}',
             json.dumps(LISTS), json.dumps({"oneOf": [{"const": i} for i in range(10_000)]})]


@pytest.mark.parametrize("schema", TOLERATED)
def test_what_cannot_be_enforced_is_no_reason_to_refuse_a_tool(server, schema):
    # The model does not see the tools here: what counts is that they are taken.
    status, error, _ = post(server, json.dumps(chat(tools=[tool("SCHEMA")], tool_choice="none")).replace('"SCHEMA"', schema))
    assert status == 200, error


@pytest.mark.parametrize("schema", [
    '{"type": "string", "minLength": 1000000000}', json.dumps({"oneOf": [{"const": i} for i in range(10_000)]}),
    '{"type": "array", "minItems": 1000000000}', '{"type": "string", "pattern": "a", "minLength": 900000}'])
def test_what_response_format_cannot_enforce_is_refused(server, schema):
    status, error, seconds = post(server, body_with(schema, "response_format"))
    print(f"{schema[:50]}: {seconds * 1e3:.1f} ms: {error.get('message', '')[:120]}")
    assert status == 400 and error["param"] == "response_format" and seconds < LIMIT_S


def test_a_pattern_that_backtracking_would_hang_on_is_enforced(server):
    assert post(server, body_with(TOLERATED[0], "response_format"))[0] == 200


@pytest.mark.parametrize("key", ["abc", "-1", "49152", "1e3", ""])
def test_biases_of_no_token(server, key):
    status, error, _ = post(server, chat(logit_bias={key: 1}))
    assert status == 400 and error["param"] == "logit_bias"


@pytest.mark.parametrize("bias", ["1e9", '"x"', "NaN", "null"])
def test_biases_out_of_range(server, bias):
    status, error, _ = post(server, json.dumps(chat(logit_bias={"5": "BIAS"})).replace('"BIAS"', bias))
    assert status == 400 and (bias == "NaN" or error["param"] == "logit_bias")  # NaN is no JSON


def test_very_many_biases(server):
    status, error, seconds = post(server, chat(logit_bias={str(i): -100 for i in range(100_000)}))
    print(f"100,000 biases: {seconds * 1e3:.1f} ms: {error}")
    assert status == 400 and error["param"].startswith("logit_bias") and seconds < LIMIT_S


def test_no_token_is_left(server):
    status, error, seconds = post(server, chat(allowed_token_ids=[5], logit_bias={"5": False}))
    assert status in (400, 500) and error["message"] and seconds < LIMIT_S


def test_a_document_that_is_empty_at_once(server):
    answer = server.chat(response_format=response_format({"const": ""}), max_tokens=8).choices[0]
    assert answer.message.content == '""' and answer.finish_reason == "stop"
