"""Greedy continuations of both models against llama.cpp's exact ones: a continuation may leave the golden one only at a near-tie."""
import pytest
from conftest import model_path, run, run_jsonl
from golden_data import MAX_TOKENS, REFERENCE_TIE, TIE, complaint, continuations

SHORT = ("capital", "math", "list")
SHORT_TOKENS = 12


def answers(model, golden, n=MAX_TOKENS, **options):
    lines = [{key: case[key] for key in ("prompt", "messages") if key in case} | {"n": n, "id": case["name"]} for case in golden]
    result = run_jsonl("generate", model_path(model), lines=lines, timeout=400, **options)
    assert [answer["id"] for answer in result] == [case["name"] for case in golden]
    return result


@pytest.fixture(scope="module")
def all_answers():
    """Both models' answers to their prompts and conversations, each made once."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = answers(name.removesuffix(".chat"), continuations(name))
        return made[name]

    return get


CASES = [(name, index, case["name"]) for name in ("smollm2", "gemma3", "smollm2.chat")
         for index, case in enumerate(continuations(name))]


@pytest.mark.parametrize("name,index", [case[:2] for case in CASES], ids=[f"{case[0]}-{case[2]}" for case in CASES])
def test_continuation(all_answers, name, index):
    assert complaint(continuations(name)[index], all_answers(name)[index], TIE) is None


@pytest.mark.parametrize("name", ["smollm2", "gemma3", "smollm2.chat"])
def test_text_and_end(all_answers, name):
    """Where the ids are all golden, so is the text, and the end token is neither in ids nor in the text."""
    n_equal = 0
    for golden, answer in zip(continuations(name), all_answers(name)):
        stops = len(golden["ids"]) < MAX_TOKENS
        if answer["ids"] != (golden["ids"][:-1] if stops else golden["ids"]):
            continue
        n_equal += 1
        assert answer["finish_reason"] == ("stop" if stops else "length"), golden["name"]
        assert answer["text"] == golden["text"].removesuffix("<|im_end|>"), golden["name"]
        assert answer["timings"]["prompt_tokens"] == len(golden["prompt_ids"])
    assert n_equal >= len(continuations(name)) // 2


@pytest.mark.parametrize("model", ["smollm2", "gemma3"])
def test_reference_kernels(model):
    golden = [case for case in continuations(model) if case["name"] in SHORT]
    result = answers(model, golden, n=SHORT_TOKENS, env={"ROCMFORGE_CPU_ISA": "reference"})
    assert [complaint(*pair, REFERENCE_TIE, SHORT_TOKENS) for pair in zip(golden, result)] == [None] * len(SHORT)


@pytest.mark.parametrize("isa", ["generic", "avx2", "avx2_vnni", "avx512", "avx512_vnni", "amx"])
@pytest.mark.parametrize("model", ["smollm2", "gemma3"])
def test_other_instruction_sets(model, isa):
    env = {"ROCMFORGE_CPU_ISA": isa}
    devices = run("devices", env=env)
    if devices.returncode != 0:
        assert "lacks" in devices.stderr, devices.stderr
        pytest.skip(f"this machine does not run {isa}: {devices.stderr.strip()}")
    golden = [case for case in continuations(model) if case["name"] in SHORT]
    result = answers(model, golden, n=SHORT_TOKENS, env=env)
    assert [complaint(*pair, TIE, SHORT_TOKENS) for pair in zip(golden, result)] == [None] * len(SHORT)
