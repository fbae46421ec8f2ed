"""`serve --supervise on`: what clients see when the process that runs the model fails (rows D05 to D12 of the faults' catalogue)."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import openai
import pytest

from conftest import binary
from serve_test import QUESTION, Server

ENDLESS = {"max_tokens": 4000, "temperature": 0, "ignore_eos": True}
PROMPT = "The quick brown fox"


@contextlib.contextmanager
def supervised(model, *arguments, fault=None, supervise="on"):
    flags = ["--ctx", 2048, "--supervise", supervise, *arguments]
    if "--device" not in flags:
        flags += ["--device", "cpu"]
    if fault:
        os.environ["ROCMFORGE_FAULT"] = fault
    begin = time.monotonic()
    try:
        server = Server(model, *flags)
    finally:
        os.environ.pop("ROCMFORGE_FAULT", None)
    server.load_seconds = time.monotonic() - begin
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()


def worker_of(server):
    """The process id of the worker, or None."""
    pid = server.process.pid
    with contextlib.suppress(OSError):
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else None


def is_alive(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def wait_for(condition, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def address(server):
    return server.url.split("//")[1].split("/")[0]


def health_of(server):
    """Status and body of /health."""
    connection = http.client.HTTPConnection(address(server), timeout=30)
    connection.request("GET", "/health")
    response = connection.getresponse()
    return response.status, json.load(response)


def log_of(server):
    """What was logged; ends the server."""
    server.process.kill()
    server.process.wait()
    return server.process.stderr.read()


class Stream:
    """A streamed completion, as raw events."""

    def __init__(self, server, **body):
        self.connection = http.client.HTTPConnection(address(server), timeout=120)
        body = {"prompt": PROMPT, "stream": True, **ENDLESS, **body}
        self.connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
        self.response = self.connection.getresponse()
        assert self.response.status == 200

    def next(self):
        """The data of the next event; None at the end of the stream."""
        with contextlib.suppress(http.client.IncompleteRead):
            while line := self.response.readline():
                if line.startswith(b"data: "):
                    return line[6:].decode().strip()
        return None

    def rest(self):
        return list(iter(self.next, None))


def post(server, path="/v1/completions", **body):
    """Status and body of an answer that is not streamed."""
    connection = http.client.HTTPConnection(address(server), timeout=120)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    return response.status, json.load(response)


def text_of(events):
    assert events[-1] == "[DONE]"
    return "".join(choice["text"] for event in events[:-1] for choice in json.loads(event)["choices"])


def assert_broken_off(events):
    """One error event at the end, and no [DONE]."""
    errors = [event for event in events if "error" in json.loads(event)]
    assert errors == events[-1:]
    error = json.loads(errors[0])["error"]
    assert error["type"] == "server_error" and "the worker process ended" in error["message"]


@pytest.fixture(scope="module")
def expected(smollm2):
    """The text that follows PROMPT."""
    result = subprocess.run([binary(), "generate", str(smollm2), "--device", "cpu", "--prompt", PROMPT, "-n", "12",
                             "--temp", "0", "--json"], capture_output=True, text=True, timeout=300, check=True)
    return json.loads(result.stdout)["text"]


needs_emulator = pytest.mark.skipif(not (pathlib.Path(binary()).parent / "librocmforge_emulated.so").exists(),
                                    reason="this build has no block emulator")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A small model of random weights, for the block emulator."""
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    subprocess.run([pathlib.Path(binary()).parent / "tests/rf_random_model", path, "tiny", "q8_0"], check=True)
    return path


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
def test_d08_a_worker_that_ends_or_stops(smollm2, expected, number):
    with supervised(smollm2, "--parallel", 1) as server, concurrent.futures.ThreadPoolExecutor(2) as pool:
        live = Stream(server)
        assert live.next()
        ask = {"prompt": PROMPT, "max_tokens": 12, "temperature": 0}
        whole = pool.submit(post, server, **ask)
        waiting = Stream(server, max_tokens=12, ignore_eos=False)
        assert server.wait_until(lambda health: health["waiting"] == 2)
        worker = worker_of(server)
        os.kill(worker, number)
        begin = time.monotonic()
        assert_broken_off(live.rest())
        assert time.monotonic() - begin < (5 if number == signal.SIGSTOP else 1)
        begin = time.monotonic()
        assert wait_for(lambda: health_of(server)[0] == 200, server.load_seconds + 2)
        assert worker_of(server) != worker and not is_alive(worker)
        status, answer = whole.result()
        assert status == 200 and answer["choices"][0]["text"] == expected
        assert text_of(waiting.rest()) == expected
        assert server.stop() == 0
        log = server.process.stderr.read()
        reason = "it stood still for 4 s" if number == signal.SIGSTOP else f"by signal {int(number)} "
        assert "worker process 1 ended" in log and reason in log and "of 1 sequences, requests 1)" in log


def test_d09_the_worker_goes_with_its_supervisor(smollm2):
    for number in (signal.SIGKILL, signal.SIGTERM):
        with supervised(smollm2) as server:
            stream = Stream(server)
            assert stream.next()
            worker = worker_of(server)
            if number == signal.SIGTERM:
                stream.connection.close()
            server.process.send_signal(number)
            assert wait_for(lambda: not is_alive(worker), 2)


def test_d07_a_step_that_never_ends(smollm2, expected):
    with supervised(smollm2, "--parallel", 1, fault="hang,step=4,worker=1") as server:
        live = Stream(server)
        assert live.next()
        begin = time.monotonic()
        waiting = Stream(server, max_tokens=12, ignore_eos=False)
        worker = worker_of(server)
        assert_broken_off(live.rest())
        assert 8 < time.monotonic() - begin < 60
        assert text_of(waiting.rest()) == expected
        assert not is_alive(worker)
        assert "a step took longer than" in log_of(server)


def test_d05_d13_a_lost_device_and_a_lack_of_memory(smollm2, expected):
    with supervised(smollm2, fault="lost,step=3,worker=1") as server:
        worker = worker_of(server)
        status, answer = post(server, prompt=PROMPT, max_tokens=12, temperature=0)
        assert status == 200 and answer["choices"][0]["text"] == expected
        assert worker_of(server) != worker
        assert "the device is lost, as ROCMFORGE_FAULT wants it" in log_of(server)
    with supervised(smollm2, fault="oom,step=3,worker=1") as server:
        worker = worker_of(server)
        assert post(server, prompt=PROMPT, max_tokens=12)[0] == 503
        status, answer = post(server, prompt=PROMPT, max_tokens=12, temperature=0)
        assert status == 200 and answer["choices"][0]["text"] == expected
        assert worker_of(server) == worker


def test_d11_a_poison_request(smollm2, expected):
    poison = 4242
    with supervised(smollm2, fault=f"crash,token={poison}") as server:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            innocent = [pool.submit(post, server, prompt=PROMPT, max_tokens=12, temperature=0, seed=i) for i in range(4)]
            status, answer = post(server, prompt=[poison, 5, 6], max_tokens=4)
            assert status == 500 and answer["error"]["code"] == "poison_request"
            for request in innocent:
                status, whole = request.result()
                assert status == 200 and whole["choices"][0]["text"] == expected
        assert wait_for(lambda: health_of(server)[0] == 200, server.load_seconds + 3)
        worker = worker_of(server)
        begin = time.monotonic()
        status, answer = post(server, prompt=[poison, 5, 6], max_tokens=4)  # once more: known by its content
        assert status == 500 and answer["error"]["code"] == "poison_request" and time.monotonic() - begin < 1
        assert worker_of(server) == worker and health_of(server)[0] == 200
        assert log_of(server).count("worker process") == 2


def test_d12_five_deaths(smollm2):
    with supervised(smollm2, fault="kill,step=1") as server:
        for i in range(2):
            status, answer = post(server, prompt=f"number {i}", max_tokens=4)
            assert status == 500 and answer["error"]["code"] == "poison_request"
        status, answer = post(server, prompt="the last one", max_tokens=4)
        assert status == 503 and answer["error"]["code"] == "device_unavailable"
        assert "5 times within 10 minutes" in answer["error"]["message"]
        status, health = health_of(server)
        assert status == 503 and health["code"] == "device_unavailable" and "signal 9" in health["message"]
        assert post(server, prompt="one more", max_tokens=4)[0] == 503
        assert worker_of(server) is None
        assert server.stop() == 4


@needs_emulator
def test_d10_what_cannot_be_loaded_again(tiny, tmp_path):
    """As after a reset that the device does not come back from: it stays at 503, with the reason."""
    model = tmp_path / "model.gguf"
    shutil.copyfile(tiny, model)
    with supervised(model) as server:
        worker = worker_of(server)
        model.unlink()
        os.kill(worker, signal.SIGKILL)
        status, answer = post(server, prompt=[5, 6, 7], max_tokens=3)
        assert status == 503 and answer["error"]["code"] == "device_unavailable"
        assert "model.gguf" in answer["error"]["message"] and "5 times" in answer["error"]["message"]
        assert server.stop() == 4


def test_drain(smollm2):
    with supervised(smollm2, "--parallel", 1) as server:
        live = Stream(server, max_tokens=60)
        first = live.next()
        waiting = Stream(server, max_tokens=5)
        server.process.send_signal(signal.SIGTERM)
        assert text_of([first, *live.rest()]) and text_of(waiting.rest())
        assert server.process.wait(30) == 0
    with supervised(smollm2, "--drain-timeout", 1) as server:
        live = Stream(server)
        assert live.next()
        server.process.send_signal(signal.SIGTERM)
        assert "shutting down" in live.rest()[-1]
        assert server.process.wait(10) == 0


def test_a_client_that_leaves(smollm2):
    with supervised(smollm2, "--parallel", 1) as server:
        live, waiting = Stream(server), Stream(server)
        assert live.next()
        assert server.wait_until(lambda health: health["running"] == 1 and health["waiting"] == 1)
        waiting.response.close()
        waiting.connection.close()
        assert server.wait_until(lambda health: health["waiting"] == 0, 10)
        live.response.close()
        live.connection.close()
        assert server.wait_until(lambda health: health["running"] == 0, 10)


def test_answers_are_the_same(smollm2):
    """All bytes but ids and times, with and without a supervisor, of answers and of refusals."""
    requests = [("/v1/completions", {"prompt": PROMPT, "max_tokens": 8, "temperature": 0, "logprobs": 2}),
                ("/v1/completions", {"prompt": ["a", "b"], "n": 2, "max_tokens": 3, "temperature": 1, "seed": 7}),
                ("/v1/chat/completions", {"messages": QUESTION, "max_tokens": 8, "temperature": 0}),
                ("/v1/chat/completions", {"messages": QUESTION, "temperature": 101}),
                ("/v1/completions", {"model": "gpt-4", "prompt": "x"})]

    def answers(server):
        for path, body in requests:
            connection = http.client.HTTPConnection(address(server), timeout=120)
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read().decode()
            parsed = json.loads(text)
            for key in ("id", "created"):
                text = text.replace(json.dumps(parsed.get(key, "no such")), "0")
            yield response.status, sorted(response.getheaders()), text
        for method, path in (("GET", "/v1/models/smollm2"), ("DELETE", "/v1/models"), ("GET", "/v1/a%20b?c=d")):
            connection = http.client.HTTPConnection(address(server), timeout=120)
            connection.request(method, path)
            response = connection.getresponse()
            body = json.load(response)
            body.pop("created", None)
            yield response.status, response.getheader("Allow"), body

    with supervised(smollm2) as server:
        one = list(answers(server))
    with supervised(smollm2, supervise="off") as server:
        assert worker_of(server) is None
        assert one == list(answers(server))


def test_what_cannot_be_loaded(smollm2, tmp_path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(pathlib.Path(smollm2).read_bytes()[:100_000])
    for supervise in ("on", "off"):
        result = subprocess.run([binary(), "serve", str(broken), "--port", "0", "--device", "cpu", "--supervise", supervise],
                                capture_output=True, text=True, timeout=60)
        assert result.returncode == 3 and len(result.stderr.splitlines()) == 1, result.stderr
    by_hand = subprocess.run([binary(), "serve", str(smollm2), "--worker-number", "1"], capture_output=True, text=True,
                             timeout=60)
    assert by_hand.returncode == 2 and "starts itself" in by_hand.stderr


def test_the_official_client(smollm2):
    """Its retries of a 503 do not reach a request twice, and its errors are those of the server."""
    with supervised(smollm2, "--parallel", 1, fault="lost,step=3,worker=1") as server:
        with pytest.raises(openai.APIError, match="worker process ended"):
            list(server.complete(PROMPT, stream=True))
        assert server.complete(PROMPT).choices[0].text


@needs_emulator
def test_d06_a_kernel_that_writes_nowhere(tiny):
    """On a device of kind GPU the supervisor is there without being asked for."""
    ask = {"prompt": [5, 6, 7], "max_tokens": 6, "temperature": 0}
    with supervised(tiny, "--device", "emulated:0", supervise="auto") as server:
        expected = post(server, **ask)[1]["choices"][0]["text"]
    with supervised(tiny, "--device", "emulated:0", supervise="auto", fault="gpu-write,step=3,worker=1") as server:
        worker = worker_of(server)
        live = Stream(server, prompt=[8, 9])
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            whole = pool.submit(post, server, **ask)
            assert_broken_off(live.rest())
            assert wait_for(lambda: health_of(server)[0] == 200, server.load_seconds + 2)
            status, answer = whole.result()
        assert status == 200 and answer["choices"][0]["text"] == expected
        assert worker_of(server) != worker
        log = log_of(server)
        assert "worker process 1 ended by signal 11" in log and "step 4 (" in log


@needs_emulator
def test_d07_a_kernel_that_never_ends(tiny):
    with supervised(tiny, "--device", "emulated:0", fault="gpu-hang,step=2,worker=1") as server:
        worker = worker_of(server)
        assert post(server, prompt=[5, 6, 7], max_tokens=3)[0] == 200
        assert worker_of(server) != worker and not is_alive(worker)
        assert "a step took longer than" in log_of(server)
