"""`pull URL` against a local HTTP server that behaves well, badly, and in between."""
import contextlib
import hashlib
import http.server
import os
import signal
import subprocess
import threading
import time

import pytest
from conftest import binary, run

BODY = bytes(range(256)) * 4096  # 1 MiB


class Server(http.server.ThreadingHTTPServer):
    """Serves BODY; `behaviour` changes what a request gets. Requests are recorded as (path, headers)."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = BODY
        self.etag = '"one"'
        self.ignore_ranges = False
        self.cut_after = []      # bytes sent before the connection is cut, one entry for each of the next requests
        self.wrong_range = False
        self.pause = 0
        self.requests = []

    def url(self, path="/m.gguf"):
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def redirect(self, target):
        self.send_response(302)
        self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        server = self.server
        server.requests.append((self.path, dict(self.headers)))
        if self.path.startswith("/loop"):
            return self.redirect(server.url("/loop"))
        if self.path.startswith("/hop"):
            return self.redirect(server.url("/m.gguf"))
        if self.path.startswith("/to-file"):
            return self.redirect("file:///etc/passwd")
        if self.path.startswith("/missing"):
            self.send_response(404)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        self.send_body()

    def send_body(self):
        server = self.server
        begin = 0
        wanted = self.headers.get("Range")
        same = self.headers.get("If-Range") in (None, server.etag)
        if wanted and same and not server.ignore_ranges:
            begin = int(wanted.split("=")[1].split("-")[0])
            if begin >= len(server.body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(server.body)}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            self.send_response(206)
            shown = begin - 1 if server.wrong_range else begin
            self.send_header("Content-Range", f"bytes {shown}-{len(server.body) - 1}/{len(server.body)}")
        else:
            self.send_response(200)
        self.send_header("ETag", server.etag)
        data = server.body[begin:]
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        cut = server.cut_after.pop(0) if server.cut_after else None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for at in range(0, len(data[:cut]), 65536):
                self.wfile.write(data[:cut][at:at + 65536])
                time.sleep(server.pause)
        if cut is not None:
            self.close_connection = True


@pytest.fixture
def server():
    with Server() as instance:
        threading.Thread(target=instance.serve_forever, daemon=True).start()
        yield instance
        instance.shutdown()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def pull(cache, *arguments):
    return run("pull", *arguments, env={"ROCMFORGE_CACHE": str(cache)})


def stored(cache, name="m"):
    return (cache / "models" / f"{name}.gguf").read_bytes()


def leftovers(cache):
    return sorted(p.name for p in (cache / "models").iterdir() if not p.name.endswith(".lock"))


def test_downloads_and_checks_the_digest(server, cache):
    result = pull(cache, server.url(), "--sha256", hashlib.sha256(BODY).hexdigest())
    assert result.returncode == 0, result.stderr
    assert stored(cache) == BODY
    assert leftovers(cache) == ["m.gguf"]


def test_follows_redirects(server, cache):
    assert pull(cache, server.url("/hop"), "--as", "m").returncode == 0
    assert stored(cache) == BODY


def test_gives_up_on_endless_redirects(server, cache):
    result = pull(cache, server.url("/loop"), "--as", "m")
    assert result.returncode == 6
    assert len(server.requests) <= 21


def test_refuses_a_redirect_to_a_file(server, cache):
    assert pull(cache, server.url("/to-file"), "--as", "m").returncode == 6
    assert "m.gguf" not in leftovers(cache)


def test_resumes_cut_connections(server, cache):
    server.cut_after = [300_000, 200_000]
    assert pull(cache, server.url()).returncode == 0
    assert stored(cache) == BODY
    ranges = [headers.get("Range") for _, headers in server.requests]
    assert ranges[0] is None and ranges[1].startswith("bytes=") and len(ranges) == 3


def test_starts_over_when_the_server_ignores_ranges(server, cache):
    server.cut_after = [300_000]
    server.ignore_ranges = True
    result = pull(cache, server.url())
    assert result.returncode == 0 and "starting over" in result.stderr
    assert stored(cache) == BODY


def test_never_appends_a_wrong_range(server, cache):
    server.cut_after = [300_000]
    server.wrong_range = True
    pull(cache, server.url())
    assert "m.gguf" not in leftovers(cache) or stored(cache) == BODY


def test_starts_over_when_the_file_changed_between_parts(server, cache):
    server.cut_after = [300_000] + [1_000] * 5
    assert pull(cache, server.url()).returncode == 6
    server.cut_after = []
    server.body = BODY[::-1]
    server.etag = '"two"'
    assert pull(cache, server.url()).returncode == 0
    assert stored(cache) == BODY[::-1]


def test_wrong_digest_drops_the_part_and_keeps_the_old_model(server, cache):
    assert pull(cache, server.url()).returncode == 0
    server.body = BODY[:-1] + b"!"
    result = pull(cache, server.url(), "--sha256", hashlib.sha256(BODY).hexdigest())
    assert result.returncode == 6 and "SHA-256 mismatch: want" in result.stderr
    assert stored(cache) == BODY
    assert leftovers(cache) == ["m.gguf"] or leftovers(cache) == [".m.part.etag", "m.gguf"]


def test_says_not_found(server, cache):
    result = pull(cache, server.url("/missing.gguf"))
    assert result.returncode == 6 and "404" in result.stderr


def test_killed_and_run_again_resumes(server, cache):
    server.pause = 0.05
    process = subprocess.Popen([binary(), "pull", server.url()], stderr=subprocess.DEVNULL,
                               env={**os.environ, "ROCMFORGE_CACHE": str(cache)})
    part = cache / "models" / ".m.part"
    deadline = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size > 200_000):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    server.pause = 0
    assert pull(cache, server.url(), "--sha256", hashlib.sha256(BODY).hexdigest()).returncode == 0
    assert stored(cache) == BODY
    assert server.requests[-1][1]["Range"].startswith("bytes=")


def test_a_second_pull_waits_for_the_first(server, cache):
    server.pause = 0.02
    arguments = [binary(), "pull", server.url(), "--sha256", hashlib.sha256(BODY).hexdigest()]
    env = {**os.environ, "ROCMFORGE_CACHE": str(cache)}
    both = [subprocess.Popen(arguments, env=env, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert stored(cache) == BODY


def test_disk_full(server, cache):
    """A file size limit stands in for a full disk: the write fails in the same place."""
    command = f"trap '' XFSZ; ulimit -f 256; exec '{binary()}' pull '{server.url()}'"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True,
                            env={**os.environ, "ROCMFORGE_CACHE": str(cache)}, timeout=60)
    assert result.returncode == 6 and "cannot write" in result.stderr
    assert "m.gguf" not in leftovers(cache)


@pytest.mark.parametrize("url", ["http://example.com/x.gguf", "ftp://127.0.0.1/x.gguf", "file:///etc/passwd", "https://"])
def test_refuses_other_urls(cache, url):
    assert pull(cache, url).returncode == 2


@pytest.mark.parametrize("name", ["../x", "/x", "a\\b", "CON", "x" * 300, "-x", ".x", "a\nb"])
def test_refuses_names_that_leave_the_folder(server, cache, name):
    assert pull(cache, server.url(), f"--as={name}").returncode == 2
    assert not server.requests


def test_refuses_a_planted_link(server, cache, tmp_path):
    target = tmp_path / "target"
    target.write_bytes(b"precious")
    (cache / "models").mkdir(parents=True)
    (cache / "models" / ".m.part").symlink_to(target)
    assert pull(cache, server.url()).returncode == 6
    assert target.read_bytes() == b"precious"


class TestHub:
    """hf:owner/repo[:file] against a stand-in for the hub's API."""

    @pytest.fixture
    def hub(self, server, monkeypatch):
        import json

        def answer(handler):
            server.requests.append((handler.path, dict(handler.headers)))
            if handler.path.startswith("/api/models/me/small"):
                files = server.files
                body = json.dumps({"siblings": [{"rfilename": f, "lfs": {"sha256": server.digest}} for f in files]}).encode()
                handler.send_response(200)
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                return handler.wfile.write(body)
            return handler.send_body()

        monkeypatch.setattr(Handler, "do_GET", answer)
        server.files = ["README.md", "m-Q4_K_M.gguf", "m-Q8_0.gguf"]
        server.digest = hashlib.sha256(BODY).hexdigest()
        monkeypatch.setenv("HF_ENDPOINT", server.url("").rstrip("/"))
        monkeypatch.setenv("HF_TOKEN", "secret")
        return server

    def test_chooses_q4_k_m(self, hub, cache):
        result = pull(cache, "hf:me/small")
        assert result.returncode == 0, result.stderr
        assert stored(cache, "m-Q4_K_M") == BODY
        assert hub.requests[-1][0] == "/me/small/resolve/main/m-Q4_K_M.gguf"
        assert hub.requests[-1][1]["Authorization"] == "Bearer secret"

    def test_takes_the_named_file(self, hub, cache):
        assert pull(cache, "hf:me/small:m-Q8_0.gguf").returncode == 0
        assert stored(cache, "m-Q8_0") == BODY

    def test_checks_the_hubs_digest(self, hub, cache):
        hub.digest = "0" * 64
        assert pull(cache, "hf:me/small").returncode == 6

    def test_lists_the_choices(self, hub, cache):
        hub.files = ["a-Q8_0.gguf", "b-Q8_0.gguf"]
        result = pull(cache, "hf:me/small")
        assert result.returncode == 2 and "a-Q8_0.gguf, b-Q8_0.gguf" in result.stderr

    @pytest.mark.parametrize("reference", ["hf:", "hf:me", "hf:me/small/x", "hf:../..", "hf:me/small:../x"])
    def test_refuses_malformed_references(self, hub, cache, reference):
        assert pull(cache, reference).returncode == 2
