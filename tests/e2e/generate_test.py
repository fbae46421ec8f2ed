"""`generate` as users and scripts meet it: where prompts come from, what is printed, what is refused and how."""
import json

import pytest
from conftest import NO_MODULE, run, run_json, run_jsonl

PROMPT = "The capital of France is"
IDS = [504, 3575, 282, 4649, 314]


def test_json_shape(smollm2):
    answer = run_json("generate", smollm2, "--prompt", PROMPT, "-n", 6)
    assert answer["prompt_ids"] == IDS
    assert len(answer["ids"]) == 6
    assert answer["finish_reason"] == "length"
    assert answer["text"].startswith(" Paris.")
    timings = answer["timings"]
    assert timings["prompt_tokens"] == 5 and timings["decode_tokens"] == 5  # the first token comes with the prompt
    assert timings["prompt_ms"] > 0 and timings["decode_ms"] > 0


def test_every_way_to_give_a_prompt(smollm2, tmp_path):
    file = tmp_path / "prompt with spaces.txt"
    file.write_text(PROMPT)
    wanted = run_json("generate", smollm2, "--prompt", PROMPT, "-n", 6)["ids"]
    assert run_json("generate", smollm2, "--prompt-file", file, "-n", 6)["ids"] == wanted
    assert run_json("generate", smollm2, "--tokens", ",".join(map(str, IDS)), "-n", 6)["ids"] == wanted
    assert run_json("generate", smollm2, "-n", 6, stdin=PROMPT)["ids"] == wanted


def test_plain_output_is_the_text(smollm2):
    text = run_json("generate", smollm2, "--prompt", PROMPT, "-n", 12)["text"]
    result = run("generate", smollm2, "--prompt", PROMPT, "-n", 12, check=True)
    assert result.stdout == text + "\n"
    assert result.stderr == ""  # no terminal, no progress


def test_chat_and_messages_are_the_same(smollm2, tmp_path):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hi."}]
    file = tmp_path / "messages.json"
    file.write_text(json.dumps(messages))
    answer = run_json("generate", smollm2, "--messages", file, "-n", 8)
    assert run_json("generate", smollm2, "--chat", "--system", "Be brief.", "--prompt", "Say hi.", "-n", 8)["ids"] == answer["ids"]
    assert answer["prompt_ids"][0] == 1  # <|im_start|>, as a token


def test_special_tokens_are_text_unless_asked_for(smollm2):
    assert 2 not in run_json("generate", smollm2, "--prompt", "a<|im_end|>", "-n", 0)["prompt_ids"]
    assert 2 in run_json("generate", smollm2, "--prompt", "a<|im_end|>", "--parse-special", "-n", 0)["prompt_ids"]


def test_nothing_to_generate(smollm2):
    answer = run_json("generate", smollm2, "--prompt", PROMPT, "-n", 0)
    assert (answer["ids"], answer["text"], answer["finish_reason"]) == ([], "", "length")


def test_end_token_is_an_ordinary_one_if_asked(smollm2):
    prompt = "Write the numbers.\nQuestion: What is 12 times 12?\nAnswer:"
    short = run_json("generate", smollm2, "--prompt", prompt, "-n", 200)
    assert short["finish_reason"] == "stop" and 2 not in short["ids"]
    longer = run_json("generate", smollm2, "--prompt", prompt, "-n", len(short["ids"]) + 8, "--ignore-eos")
    assert longer["ids"][:len(short["ids"]) + 1] == short["ids"] + [2]


def test_context_ends_the_answer(smollm2):
    answer = run_json("generate", smollm2, "--prompt", PROMPT, "--ctx", 16, "--ignore-eos")
    assert answer["finish_reason"] == "length"
    assert 10 <= len(answer["ids"]) <= 12  # 16 positions, 5 of the prompt


def test_sampling_flags(smollm2):
    def ids(*flags):
        return run_json("generate", smollm2, "--prompt", PROMPT, "-n", 12, *flags)["ids"]

    greedy = ids()
    assert ids("--temp", 1.5, "--seed", 1) == ids("--temp", 1.5, "--seed", 1)
    assert ids("--temp", 1.5, "--seed", 1) != ids("--temp", 1.5, "--seed", 2)
    assert ids("--temp", 5, "--top-k", 1) == greedy
    assert ids("--temp", 5, "--top-p", 0) == greedy
    assert ids("--temp", 5, "--min-p", 1) == greedy
    banned = ids("--logit-bias", f"{greedy[0]}=-100")
    assert greedy[0] not in banned
    before_model = run_json("generate", "--prompt", PROMPT, "-n", 12, "--logit-bias", f"{greedy[0]}=-100", smollm2)
    assert before_model["ids"] == banned
    assert ids("--repeat-penalty", 5) != greedy


@pytest.mark.parametrize("flag,value", [
    ("--temp", "nan"), ("--temp", "-1"), ("--temp", "101"), ("--temp", ""), ("--temp", "warm"), ("--temp", "1e30"),
    ("--top-k", "-2"), ("--top-k", "1.5"), ("--top-k", "99999999999999999999"), ("--top-p", "1.01"), ("--top-p", "inf"),
    ("--min-p", "2"), ("--repeat-penalty", "0"), ("--repeat-last-n", "-2"), ("--presence-penalty", "2.1"),
    ("--frequency-penalty", "-2.1"), ("--logit-bias", "5"), ("--logit-bias", "5=nan"), ("--logit-bias", "x=1"),
    ("--threads", "0"), ("--threads", "1025"), ("--threads", "two"), ("--ctx", "-1"), ("--ctx", "16777217"),
    ("--prefill-chunk", "0"), ("--prefill-chunk", "65537"), ("--seed", "-1"), ("--seed", "18446744073709551616"),
    ("--kv-type", "q2"), ("--kv-tokens", "-1"), ("--parallel", "0"), ("--parallel", "257"), ("-n", "-1"), ("-n", "2147483648"),
])
def test_values_out_of_range(smollm2, flag, value):
    result = run("generate", smollm2, "--prompt", PROMPT, f"{flag}={value}" if flag.startswith("--") else f"{flag}{value}")
    assert result.returncode == 2, result.stderr
    assert flag in result.stderr
    assert value in result.stderr
    assert ".." in result.stderr or "{" in result.stderr or "ID=BIAS" in result.stderr  # what would be accepted


@pytest.mark.parametrize("flags", [
    ("--prompt", "a", "--tokens", "1"), ("--prompt", "a", "--jsonl"), ("--prompt",), ("--prompt", "a", "--temp"),
    ("--prompt", "a", "-n", "1", "-n", "2"), ("--prompt", "a", "--tempo", "1"), ("--tokens", "1,x"), ("--tokens", "49152"),
    ("--tokens", "-1"), ("--prompt", ""), ("--device", "cuda", "--prompt", "a"), ("--device", "cpu:x", "--prompt", "a"),
])
def test_usage_errors(smollm2, flags):
    result = run("generate", smollm2, *flags, stdin="")
    assert result.returncode == 2, result.stderr
    assert result.stderr.startswith("rocmforge: ")
    assert result.stdout == ""


def test_devices_that_are_not_there(smollm2):
    hip = run("generate", smollm2, "--prompt", "a", "--device", "hip:0", env=NO_MODULE)
    assert hip.returncode == 4 and NO_MODULE["ROCMFORGE_GPU_MODULE"] in hip.stderr, hip.stderr
    second = run("generate", smollm2, "--prompt", "a", "--device", "cpu:1")
    assert second.returncode == 4 and "no such device" in second.stderr
    assert run("generate", smollm2, "--prompt", PROMPT, "-n", 1, "--device", "cpu:0").returncode == 0


def test_a_base_model_has_no_chat(gemma3, smollm2, tmp_path):
    result = run("generate", gemma3, "--chat", "--prompt", "Hi")
    assert result.returncode == 3 and "template" in result.stderr
    template = tmp_path / "template.jinja"
    template.write_text("{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:")
    answer = run_json("generate", gemma3, "--chat", "--prompt", "Hi", "-n", 3, "--chat-template-file", template)
    assert answer["prompt_ids"].count(2) == 1  # one BOS, the template's


def test_a_prompt_that_does_not_fit(smollm2):
    result = run("generate", smollm2, "--prompt", PROMPT * 20, "--ctx", 32)
    assert result.returncode == 2
    assert "32" in result.stderr


def test_full_disk(smollm2):
    with open("/dev/full", "w") as full:
        import subprocess

        from conftest import binary
        result = subprocess.run([binary(), "generate", smollm2, "--prompt", PROMPT, "-n", "4"], stdout=full, stderr=subprocess.PIPE,
                                text=True, timeout=60)
    assert result.returncode == 6
    assert "standard output" in result.stderr


def test_lines_come_in_order_with_their_ids(smollm2):
    lines = [{"prompt": PROMPT, "n": n, "id": identity} for n, identity in ((20, "a"), (1, {"b": 2}), (5, 3), (0, [4]))]
    lines.append({"tokens": IDS, "n": 2})
    answers = run_jsonl("generate", smollm2, "--parallel", 4, lines=lines)
    assert [answer.get("id") for answer in answers] == ["a", {"b": 2}, 3, [4], None]
    assert [len(answer["ids"]) for answer in answers] == [20, 1, 5, 0, 2]
    assert answers[0]["ids"][:5] == answers[2]["ids"]


def test_bad_lines_do_not_end_the_run(smollm2):
    bad = ['{"id": 0}', '{"id": 1, "prompt": 5}', '{"id": 2, "prompt": "a", "tokens": [1]}', '{"id": 3, "tokens": [49152]}',
           '{"id": 4, "tokens": [1.5]}', '{"id": 5, "prompt": "a", "n": -1}', '{"id": 6, "prompt": "a", "temp": "hot"}',
           '{"id": 7, "prompt": "a", "temp": 1000}', '{"id": 8, "prompt": "a", "seed": -1}', '{"id": 9, "messages": 7}', "[]", "{",
           '{"prompt": "a", "temp": 1e999}', '{"id": 13, "tokens": []}', '{"id": 14, "prompt": "%s"}' % ("word " * 9000),
           '{"id": 15, "tokens": [99999999999999999999]}', '{"id": 16, "prompt": "a", "temprature": 1}']
    good = json.dumps({"id": "good", "prompt": PROMPT, "n": 3})
    result = run("generate", smollm2, "--jsonl", stdin="\n".join([good, *bad, "", good]) + "\n", check=True)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(answers) == len(bad) + 2
    assert answers[0]["ids"] == answers[-1]["ids"] and len(answers[0]["ids"]) == 3
    for number, answer in enumerate(answers[1:-1]):
        assert answer["error"], answer
        assert answer["line"] == number + 2
        assert "ids" not in answer
    assert "temprature" in answers[17]["error"] and "unknown" in answers[17]["error"]
    assert [answer["id"] for answer in answers[1:11]] == list(range(10))
    assert f"{len(bad)} of {len(answers)} lines failed" in result.stderr


def test_text_is_always_utf8(smollm2):
    """At a high temperature, bytes of characters come in pieces; what is printed holds whole ones only."""
    lines = [{"prompt": "🙂🎉", "n": 40, "temp": 3.0, "seed": seed} for seed in range(8)]
    for answer in run_jsonl("generate", smollm2, lines=lines):
        answer["text"].encode("utf-8")
        assert answer["text"]
