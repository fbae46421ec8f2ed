"""Broken and hostile schemas, grammars and biases in requests to `serve`, on a real model."""
import json

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
