"""`serve` on a real model, driven by the official OpenAI client."""
import concurrent.futures
import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
import urllib.request

import openai
import pytest

from conftest import binary, run

QUESTION = [{"role": "user", "content": "Name the capital of France in one sentence."}]


class Server:
    """A running `rocmforge serve` on a free port. ROCMFORGE_TEST_SERVE_FLAGS: further flags, e.g. "--supervise on"."""

    def __init__(self, model, *arguments):
        flags = shlex.split(os.environ.get("ROCMFORGE_TEST_SERVE_FLAGS", ""))
        self.process = subprocess.Popen([binary(), "serve", str(model), "--port", "0", *flags, *map(str, arguments)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, f"no address in {line!r}: {self.process.stderr.read()}"
        self.url = found.group(0)
        self.client = openai.OpenAI(base_url=self.url, api_key="none", max_retries=0, timeout=300)

    def chat(self, messages=QUESTION, **options):
        return self.client.chat.completions.create(model="smollm2", messages=messages,
                                                   **{"temperature": 0, "max_tokens": 24, **options})

    def complete(self, prompt, **options):
        return self.client.completions.create(model="smollm2", prompt=prompt,
                                              **{"temperature": 0, "max_tokens": 24, **options})

    def health(self):
        with urllib.request.urlopen(self.url.replace("/v1", "/health"), timeout=30) as response:
            return json.load(response)

    def wait_until(self, condition, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition(self.health()):
                return True
            time.sleep(0.05)
        return False

    def stop(self, number=signal.SIGTERM, seconds=60):
        self.process.send_signal(number)
        return self.process.wait(seconds)


@contextlib.contextmanager
def serving(model, *arguments):
    server = Server(model, *arguments)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()


@pytest.fixture(scope="module")
def server(smollm2):
    with serving(smollm2, "--ctx", 1024, "--kv-tokens", 16384, "--parallel", 8) as running:
        yield running


def text_of(stream):
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def test_models_and_health(server):
    models = server.client.models.list().data
    assert [model.id for model in models] == ["smollm2"]
    assert server.client.models.retrieve("smollm2").owned_by == "rocmforge"
    with pytest.raises(openai.NotFoundError):
        server.client.models.retrieve("gpt-4")
    assert server.health()["status"] == "ok"


def test_chat(server):
    answer = server.chat(max_tokens=64)
    assert "Paris" in answer.choices[0].message.content
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.id.startswith("chatcmpl-") and answer.model == "smollm2" and answer.system_fingerprint


def test_streamed_parts_are_the_whole(server):
    whole = server.chat(max_tokens=40)
    chunks = list(server.chat(max_tokens=40, stream=True, stream_options={"include_usage": True}))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert text_of(chunks) == whole.choices[0].message.content
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert chunks[-2].choices[0].finish_reason == whole.choices[0].finish_reason
    completion = server.complete("The quick brown fox", max_tokens=40)
    parts = server.complete("The quick brown fox", max_tokens=40, stream=True)
    assert "".join(part.choices[0].text for part in parts) == completion.choices[0].text


def test_greedy_text_is_that_of_generate(server, smollm2):
    prompt = "The quick brown fox"
    result = subprocess.run([binary(), "generate", str(smollm2), "--prompt", prompt, "-n", "24", "--temp", "0", "--json"],
                            capture_output=True, text=True, timeout=300, check=True)
    assert server.complete(prompt).choices[0].text == json.loads(result.stdout)["text"]


def test_stop(server):
    whole = server.complete("Count: one, two, three,").choices[0].text
    middle = len(whole) // 2
    stop = whole[middle:middle + 7]  # crosses the borders of tokens
    cut = whole[:whole.index(stop)]
    answer = server.complete("Count: one, two, three,", stop=[stop, "never there"])
    assert answer.choices[0].text == cut and answer.choices[0].finish_reason == "stop"
    parts = server.complete("Count: one, two, three,", stop=stop, stream=True)
    assert "".join(part.choices[0].text for part in parts) == cut


def test_logprobs(server):
    content = server.chat(max_tokens=5, logprobs=True, top_logprobs=3).choices[0].logprobs.content
    assert len(content) == 5
    for token in content:
        assert token.logprob <= 0 and len(token.top_logprobs) == 3
        assert token.top_logprobs[0].token == token.token  # greedy
        assert bytes(token.bytes).decode(errors="replace") == token.token
        values = [top.logprob for top in token.top_logprobs]
        assert values == sorted(values, reverse=True)


def test_echoed_logprobs_are_those_of_logits(server, smollm2, tmp_path):
    text = "The capital of France is Paris."
    file = tmp_path / "text.txt"
    file.write_text(text)
    lines = subprocess.run([binary(), "logits", str(smollm2), "--text-file", str(file), "--top", "5", "--json"],
                           capture_output=True, text=True, timeout=300, check=True).stdout.splitlines()
    best = [json.loads(line)["top"][0][1] for line in lines]
    answer = server.complete(text, echo=True, logprobs=5, max_tokens=1).choices[0]
    assert answer.text.startswith(text) and len(answer.logprobs.tokens) == len(best) + 1
    assert answer.logprobs.token_logprobs[0] is None
    for position, top in enumerate(answer.logprobs.top_logprobs[1:]):
        assert max(top.values()) == pytest.approx(best[position], abs=1e-3)


def test_n_and_seed(server):
    options = {"temperature": 1.0, "seed": 7, "n": 4, "max_tokens": 16}
    first, second = server.chat(**options), server.chat(**options)
    texts = [choice.message.content for choice in first.choices]
    assert texts == [choice.message.content for choice in second.choices]
    assert len(set(texts)) > 1
    assert [choice.index for choice in first.choices] == [0, 1, 2, 3]


def test_cached_prefix_is_counted_and_changes_nothing(server):
    messages = [{"role": "system", "content": "You are a helpful guide to the city of Paris. " * 8}, *QUESTION]
    first = server.chat(messages)
    second = server.chat(messages)
    assert second.usage.prompt_tokens_details.cached_tokens > 0
    assert second.choices[0].message.content == first.choices[0].message.content


def test_many_at_once_get_what_they_get_alone(server):
    prompts = [f"Here is story number {i}: Once upon a time" for i in range(32)]
    alone = [server.complete(prompt, max_tokens=16).choices[0].text for prompt in prompts]
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        together = list(pool.map(lambda prompt: server.complete(prompt, max_tokens=16).choices[0].text, prompts))
    assert together == alone


def test_a_client_that_leaves_frees_its_place(server):
    stream = server.complete("Once upon a time", max_tokens=900, stream=True, extra_body={"ignore_eos": True})
    next(iter(stream))
    assert server.wait_until(lambda health: health["running"] == 1)
    stream.close()
    assert server.wait_until(lambda health: health["running"] == 0, seconds=10)


def test_errors_are_the_clients_own(server):
    with pytest.raises(openai.BadRequestError) as refused:
        server.chat(temperature=101)
    assert refused.value.param == "temperature"
    with pytest.raises(openai.BadRequestError) as refused:
        server.chat(tools=[{"type": "function", "function": {"parameters": {}}}])
    assert refused.value.param == "tools[0].function.name"
    with pytest.raises(openai.BadRequestError) as refused:
        server.chat([{"role": "user", "content": "word " * 5000}])
    assert refused.value.param == "messages" and "1024" in refused.value.message
    with pytest.raises(openai.NotFoundError) as refused:
        server.client.chat.completions.create(model="gpt-4", messages=QUESTION)
    assert refused.value.code == "model_not_found"


def test_a_full_queue(smollm2):
    with serving(smollm2, "--ctx", 2048, "--parallel", 1, "--max-queue", 1) as server:
        running = server.complete("Once", max_tokens=2000, stream=True, extra_body={"ignore_eos": True})
        next(iter(running))
        waiting = server.complete("Once", max_tokens=2000, stream=True, extra_body={"ignore_eos": True})
        assert server.wait_until(lambda health: health["waiting"] == 1)
        with pytest.raises(openai.RateLimitError) as refused:
            server.chat()
        assert refused.value.response.headers["Retry-After"]
        waiting.close()
        running.close()
        assert server.wait_until(lambda health: health["running"] == 0)
        assert server.chat().choices


def test_sigterm_lets_streams_finish(smollm2):
    with serving(smollm2) as server:
        stream = server.complete("Once upon a time", max_tokens=60, stream=True, extra_body={"ignore_eos": True})
        parts = [next(stream)]
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        with pytest.raises(openai.APIConnectionError):
            server.chat()
        parts.extend(stream)
        assert parts[-1].choices[0].finish_reason == "length"
        assert server.process.wait(30) == 0


def test_the_drain_ends_and_a_second_signal_ends_it_at_once(smollm2):
    endless = {"max_tokens": 8000, "stream": True, "extra_body": {"ignore_eos": True}}
    with serving(smollm2, "--drain-timeout", 1) as server:
        stream = server.complete("Once upon a time", **endless)
        next(stream)
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(openai.APIError, match="shutting down"):
            list(stream)
        assert server.process.wait(10) == 0
    with serving(smollm2) as server:
        next(server.complete("Once upon a time", **endless))
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        assert server.process.poll() is None
        begin = time.monotonic()
        assert server.stop(signal.SIGINT, 10) == 130
        assert time.monotonic() - begin < 2


def test_ports_and_hosts(smollm2, server):
    port = server.url.split(":")[-1].split("/")[0]
    taken = subprocess.run([binary(), "serve", str(smollm2), "--port", port], capture_output=True, text=True, timeout=60)
    assert taken.returncode == 6 and f"port {port} is in use" in taken.stderr
    public = subprocess.run([binary(), "serve", str(smollm2), "--host", "0.0.0.0", "--port", "0"], capture_output=True,
                            text=True, timeout=60)
    assert public.returncode == 2 and "--insecure" in public.stderr


def test_a_model_without_chat_template(gemma3):
    with serving(gemma3, "--ctx", 256) as server:
        with pytest.raises(openai.BadRequestError, match="chat template"):
            server.client.chat.completions.create(model="gemma3", messages=QUESTION)
        answer = server.client.completions.create(model="gemma3", prompt="The capital of France is", temperature=0)
        assert answer.choices[0].text


def test_a_model_in_use_is_not_removed(smollm2, tmp_path, monkeypatch):
    monkeypatch.setenv("ROCMFORGE_CACHE", str(tmp_path))
    (tmp_path / "models").mkdir()
    stored = tmp_path / "models" / "mine.gguf"
    shutil.copyfile(smollm2, stored)
    with serving("mine", "--ctx", 64) as server:
        refused = run("rm", "mine")
        assert refused.returncode == 6
        assert "'mine' is in use" in refused.stderr
        assert stored.exists()
        assert server.stop() == 0
    assert run("rm", "mine").returncode == 0
    assert not stored.exists()
