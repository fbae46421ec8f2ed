"""`run`: one answer from the command line and from pipes, and a chat on a pseudo-terminal."""
import contextlib
import json
import os
import pty
import select
import signal
import subprocess
import termios
import time

import pytest
from conftest import binary, run

GREEDY = ["--temp", "0", "-n", "12"]


def test_the_answer_alone_goes_to_standard_output(smollm2):
    result = run("run", smollm2, "What is the capital of France?", "--temp", "0", "-n", "40", stdin="", check=True)
    assert "Paris" in result.stdout and "tok/s" in result.stderr
    assert "\x1b" not in result.stdout + result.stderr
    quiet = run("run", smollm2, "What is the capital of France?", "--temp", "0", "-n", "40", "--quiet", stdin="", check=True)
    assert quiet.stdout == result.stdout and "tok/s" not in quiet.stderr


def test_a_prompt_from_a_pipe_follows_the_one_given(smollm2):
    piped = run("run", smollm2, *GREEDY, stdin="Hello there\n", check=True).stdout
    assert piped == run("run", smollm2, "Hello there", *GREEDY, stdin="", check=True).stdout
    both = run("run", smollm2, "Translate:", *GREEDY, stdin="good day\n", check=True).stdout
    assert both == run("run", smollm2, "Translate:\n\ngood day", *GREEDY, stdin="", check=True).stdout


def test_a_seed_repeats_an_answer(smollm2):
    answers = {run("run", smollm2, "Tell a story.", "--temp", "1", "-n", "16", "--seed", seed, stdin="", check=True).stdout
               for seed in (1, 1, 2)}
    assert len(answers) == 2


def test_a_base_model_is_told_from_a_chat_model(gemma3, tmp_path):
    result = run("run", gemma3, "Hello", stdin="")
    assert result.returncode == 3 and result.stdout == ""
    assert "no chat template" in result.stderr and "generate" in result.stderr and "--chat-template-file" in result.stderr
    template = tmp_path / "plain.jinja"
    template.write_text("{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}")
    assert run("run", gemma3, "Hello", *GREEDY, "--chat-template-file", template, stdin="").returncode == 0
    template.write_text("{% if")
    broken = run("run", gemma3, "Hello", "--chat-template-file", template, stdin="")
    assert broken.returncode == 3 and "template:1:" in broken.stderr


def test_without_a_prompt(smollm2):
    for closed in (False, True):
        result = subprocess.run(["sh", "-c", f'exec "$0" run "$1" {"<&-" if closed else "</dev/null"}', binary(), smollm2],
                                capture_output=True, text=True)
        assert result.returncode == 6 and result.stdout == ""
    assert run("run", smollm2, "", stdin="").returncode == 2
    result = run("run", smollm2, stdin=b"caf\xe9", text=False)
    assert result.returncode == 2 and b"invalid UTF-8 at byte 3" in result.stderr


def test_the_default_model_says_how_to_get_it(tmp_path):
    result = run("run", "Why is the sky blue?", stdin="", env={"ROCMFORGE_CACHE": str(tmp_path)})
    assert result.returncode == 6 and "rocmforge pull smollm2" in result.stderr


def default_interrupts():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background job's parent may ignore it


@pytest.mark.parametrize("delay", [0.0, 0.15, 1.5])
def test_ctrl_c_ends_an_answer_with_130(smollm2, delay):
    with subprocess.Popen([binary(), "run", smollm2, "Tell a long story.", "--temp", "0"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=default_interrupts) as process:
        time.sleep(0.1 + delay)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 130
        assert time.monotonic() - start < 0.5


class Terminal:
    """The program on a pseudo-terminal of its own."""

    def __init__(self, *arguments, home, term="xterm", **env):
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        environment = {**os.environ, "HOME": str(home), "TERM": term, **env}
        environment.pop("XDG_STATE_HOME", None)
        self.process = subprocess.Popen([binary(), *map(str, arguments)], stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True, env=environment,
                                        preexec_fn=lambda: (default_interrupts(), __import__("fcntl").ioctl(0, termios.TIOCSCTTY, 0)))
        self.slave = slave
        self.seen = ""

    def expect(self, text, timeout=60):
        """Waits for the text in what came since the last expect; returns everything up to it."""
        end = time.monotonic() + timeout
        while text not in self.seen:
            assert time.monotonic() < end and self.process.poll() is None, f"no {text!r} in {self.seen!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                self.seen += os.read(self.master, 65536).decode(errors="replace")
        head, _, self.seen = self.seen.partition(text)
        return head

    def send(self, text):
        os.write(self.master, text.encode())

    def is_canonical(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ICANON)

    def expect_prompt(self):
        self.expect("> ")
        end = time.monotonic() + 1  # without an editor the terminal stays as it is, and control characters are the kernel's
        while self.is_canonical() and time.monotonic() < end:
            time.sleep(0.01)  # the editor shows its prompt before it takes the terminal over

    def leave(self, timeout=10):
        self.expect_prompt()
        self.send("\x04")
        code = self.process.wait(timeout=timeout)
        after = termios.tcgetattr(self.slave)
        assert after == self.before, "the terminal is not as it was"
        return code


@contextlib.contextmanager
def chat(*arguments, **options):
    terminal = Terminal("run", *arguments, **options)
    try:
        terminal.expect("Ctrl-D leaves")
        terminal.expect("> ")
        yield terminal
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.master)
        os.close(terminal.slave)


def test_a_chat(smollm2, tmp_path):
    saved = tmp_path / "saved chat.json"
    with chat(smollm2, "--temp", "0", "-n", "30", home=tmp_path) as terminal:
        terminal.send("My name is Zoë. Say hello.\n")
        terminal.expect("tok/s]")
        terminal.send("What is the capital of France?\n")
        terminal.expect("tok/s]")
        terminal.send(f"/save {saved}\n")
        terminal.expect("4 messages saved")
        terminal.send("/clear\n")
        terminal.expect("forgotten")
        terminal.send("/regenerate\n")
        terminal.expect("no message to answer yet")
        terminal.send(f"/load {saved}\n")
        terminal.expect("4 messages loaded")
        terminal.send("/regenerate\n")
        terminal.expect("tok/s]")
        terminal.send("/set temp 5000\n")
        terminal.expect("temperature")
        terminal.send("/nonsense\n")
        terminal.expect("no command /nonsense")
        assert terminal.leave() == 0
    messages = json.loads(saved.read_text())["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"] * 2
    assert messages[0]["content"] == "My name is Zoë. Say hello."
    assert "Paris" in messages[3]["content"]
    history = tmp_path / ".local/state/rocmforge/history"
    assert "capital" in history.read_text() and history.stat().st_mode & 0o77 == 0


def test_ctrl_c_stops_the_answer_and_not_the_program(smollm2, tmp_path):
    with chat(smollm2, "--temp", "0", home=tmp_path) as terminal:
        terminal.send("Tell me a very long story about a dragon.\n")
        terminal.expect("dragon.\r\n")
        time.sleep(1.0)
        terminal.send("\x03")
        terminal.expect("(stopped)")
        terminal.expect_prompt()
        terminal.send("half a line")
        terminal.expect("line")
        terminal.send("\x03")
        terminal.expect_prompt()
        terminal.send("\x03")
        terminal.expect("again")
        terminal.send("\x03")
        assert terminal.process.wait(timeout=10) == 0
        assert termios.tcgetattr(terminal.slave) == terminal.before


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was(smollm2, tmp_path, signal_number):
    with chat(smollm2, home=tmp_path) as terminal:
        time.sleep(0.3)
        terminal.process.send_signal(signal_number)
        assert terminal.process.wait(timeout=10) == -signal_number
        assert termios.tcgetattr(terminal.slave) == terminal.before


def test_the_oldest_turns_go_when_the_context_is_full(smollm2, tmp_path):
    with chat(smollm2, "--temp", "0", "-n", "60", "--ctx", "192", home=tmp_path) as terminal:
        for i in range(3):
            terminal.send(f"Number {i}: tell me about the sea and the wind.\n")
            terminal.expect("tok/s]")
        terminal.send("And the moon, and all the stars?\n")
        terminal.expect("tok/s]")
        terminal.send("/save " + str(tmp_path / "c.json") + "\n")
        terminal.expect("messages saved")
        assert terminal.leave() == 0
    assert len(json.loads((tmp_path / "c.json").read_text())["messages"]) < 8


@pytest.mark.parametrize("options", [{"term": "dumb"}, {"NO_COLOR": "1"}, {"term": "no-such-terminal"}, {"LANG": "C", "LC_ALL": "C"}])
def test_plain_terminals(smollm2, tmp_path, options):
    with chat(smollm2, "--temp", "0", "-n", "8", home=tmp_path, **options) as terminal:
        terminal.send("Grüße\n")
        shown = terminal.expect("tok/s]")
        if "LANG" not in options:
            assert "\x1b[2m" not in shown or options == {"term": "no-such-terminal"}
        assert terminal.leave() == 0


def test_a_home_that_cannot_be_written(smollm2):
    with chat(smollm2, "-n", "4", home="/proc/nowhere") as terminal:
        terminal.send("Hi\n")
        terminal.expect("tok/s]")
        assert terminal.leave() == 0
