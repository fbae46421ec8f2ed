"""Tool calls through `serve`, on a real model and driven by the official OpenAI client.

A template of this test writes plain lines. The conversation has some calls already, so that even a very small model goes on in kind.
"""
import json

import openai
import pytest

from serve_test import serving

TEMPLATE = """{%- for message in messages -%}
{%- if message.role == 'user' -%}
Question: {{ message.content }}
Answer:
{%- elif message.tool_calls -%}
{%- for call in message.tool_calls %} <tool_call>
{{ {'name': call.function.name, 'arguments': call.function.arguments} | tojson }}
</tool_call>
{% endfor -%}
{%- elif message.role == 'assistant' %} {{ message.content }}
{% endif -%}
{%- endfor -%}"""

TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Weather for a city", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]


def messages(city):
    history = []
    for number, known in enumerate(["Paris", "London", "Berlin", "Rome"]):
        call = {"id": f"call_{number}", "type": "function",
                "function": {"name": "get_weather", "arguments": json.dumps({"city": known})}}
        history += [{"role": "user", "content": f"What is the weather in {known}?"},
                    {"role": "assistant", "content": None, "tool_calls": [call]}]
    return history + [{"role": "user", "content": f"What is the weather in {city}?"}]


@pytest.fixture(scope="module")
def server(smollm2, tmp_path_factory):
    template = tmp_path_factory.mktemp("template") / "plain.jinja"
    template.write_text(TEMPLATE)
    with serving(smollm2, "--ctx", 1024, "--chat-template-file", template) as running:
        yield running


def ask(server, **options):
    return server.chat(messages("Madrid"), **{"tools": TOOLS, "max_tokens": 100, "stop": ["Question:"], **options})


def test_a_call(server):
    choice = ask(server).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    call, = choice.message.tool_calls
    assert call.type == "function" and call.id.startswith("call_")
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Madrid"}


def test_a_streamed_call_is_the_same(server):
    names, ids, arguments, reason = [], [], "", None
    for chunk in ask(server, stream=True):
        for part in chunk.choices[0].delta.tool_calls or []:
            assert part.index == 0
            names += [part.function.name] if part.function.name else []
            ids += [part.id] if part.id else []
            arguments += part.function.arguments or ""
        assert not chunk.choices[0].delta.content
        reason = chunk.choices[0].finish_reason or reason
    assert names == ["get_weather"] and len(ids) == 1
    assert json.loads(arguments) == {"city": "Madrid"}
    assert reason == "tool_calls"


def test_the_clients_own_reader_of_streams(server):
    with server.client.chat.completions.stream(model="smollm2", messages=messages("Madrid"), tools=TOOLS, temperature=0,
                                               max_tokens=100, stop=["Question:"]) as stream:
        choice = stream.get_final_completion().choices[0]
    assert choice.finish_reason == "tool_calls"
    assert json.loads(choice.message.tool_calls[0].function.arguments) == {"city": "Madrid"}


def test_no_call_where_none_is_wanted(server):
    choice = ask(server, tool_choice="none").choices[0]
    assert choice.finish_reason == "stop" and choice.message.tool_calls is None
    assert "<tool_call>" in choice.message.content


def test_a_call_that_is_cut_off_is_left_out(server):
    choice = ask(server, max_tokens=12).choices[0]
    assert choice.finish_reason == "length" and choice.message.tool_calls is None
    assert not choice.message.content


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
def test_a_forced_call_is_refused(server, choice):
    with pytest.raises(openai.BadRequestError) as refused:
        ask(server, tool_choice=choice)
    assert refused.value.param == "tool_choice" and "grammar" in refused.value.message
