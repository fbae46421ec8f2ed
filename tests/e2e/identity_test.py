"""The same greedy tokens whatever runs beside, however the prompt is cut, after preemption and with reused prefixes."""
import json

import pytest
from conftest import model_path, run
from golden_data import continuations

N_TOKENS = 24
N_LONG_TOKENS = 96
MODELS = ["smollm2", "gemma3"]


def lines_for(model):
    """Eight prompts: short ones, one of ten pages and one that is longer than Gemma's window of 512."""
    cases = {case["name"]: case["prompt"] for case in continuations(model)}
    prompts = [cases[name] for name in ("capital", "code_c", "emoji", "german", "list", "long", "story")]
    return [{"prompt": prompt, "n": N_TOKENS} for prompt in [*prompts, cases["long"] + "\n\n" + cases["long"]]]


def generate(model, *flags, lines=None):
    """Tokens of each line, and the engine's counters."""
    text = "".join(json.dumps(line) + "\n" for line in lines or lines_for(model))
    result = run("generate", model_path(model), "--jsonl", "--stats", *flags, stdin=text, timeout=300, check=True)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert not [answer for answer in answers if "error" in answer]
    return [answer["ids"] for answer in answers], json.loads(result.stderr.splitlines()[-1])


@pytest.fixture(scope="module")
def alone():
    """Each prompt on its own, in one piece, nothing reused."""
    made = {}

    def get(model):
        if model not in made:
            made[model], stats = generate(model, "--parallel", 1, "--no-prefix-cache", "--prefill-chunk", 2048)
            assert stats["preemptions"] == 0 and stats["cached_tokens"] == 0
            assert all(made[model])
        return made[model]

    return get


@pytest.mark.parametrize("model", MODELS)
def test_batch_of_eight(alone, model):
    ids, stats = generate(model, "--parallel", 8, "--no-prefix-cache")
    assert ids == alone(model)
    assert stats["steps"] < sum(map(len, ids)) / 2  # they did run together


@pytest.mark.parametrize("chunk", [1, 7, 64, 512])
@pytest.mark.parametrize("model", MODELS)
def test_prefill_chunks(alone, model, chunk):
    ids, _ = generate(model, "--parallel", 8, "--no-prefix-cache", "--prefill-chunk", chunk)
    assert ids == alone(model)


def long_answers(model):
    return [line | {"n": N_LONG_TOKENS} for line in lines_for(model)[:-1]]


@pytest.fixture(scope="module")
def long_alone():
    made = {}

    def get(model):
        if model not in made:
            made[model], _ = generate(model, "--parallel", 1, "--no-prefix-cache", lines=long_answers(model))
        return made[model]

    return get


@pytest.mark.parametrize("model", MODELS)
def test_forced_preemption(long_alone, model):
    """Long answers outgrow a pool that holds the longest prompt and little more."""
    ids, stats = generate(model, "--parallel", 8, "--no-prefix-cache", "--kv-tokens", 480, "--prefill-chunk", 64,
                          lines=long_answers(model))
    assert ids == long_alone(model)
    assert stats["preemptions"] > 0
    assert stats["free_pages"] == stats["pages"]


def test_prefix_reuse_beside_preemption(long_alone):
    """Pairs of requests share pages and outgrow the pool."""
    lines = long_answers("smollm2")[3:]
    ids, stats = generate("smollm2", "--parallel", 8, "--kv-tokens", 480, "--prefill-chunk", 64, lines=lines + lines)
    assert ids == long_alone("smollm2")[3:] * 2
    assert stats["preemptions"] > 0 and stats["cached_tokens"] > 0
    assert stats["free_pages"] == stats["pages"]


@pytest.mark.parametrize("model", MODELS)
def test_prefix_reuse(alone, model):
    ids, stats = generate(model, "--parallel", 1, lines=lines_for(model) * 2)
    assert ids == alone(model) * 2
    n_long = len(continuations(model)[9]["prompt_ids"])
    assert stats["cached_tokens"] > 2 * n_long  # both long prompts came from the cache the second time
    assert stats["free_pages"] == stats["pages"]


def few_lines():
    return lines_for("smollm2")[2:6]


@pytest.fixture(scope="module")
def ids_by_kv_type():
    return {kv_type: generate("smollm2", "--kv-type", kv_type, "--parallel", 1, "--no-prefix-cache", lines=few_lines())[0]
            for kv_type in ("bf16", "f32", "q8_0", "q4_0")}


@pytest.mark.parametrize("kv_type", ["bf16", "f32", "q8_0", "q4_0"])
def test_kv_types_agree_with_themselves(ids_by_kv_type, kv_type):
    ids, _ = generate("smollm2", "--kv-type", kv_type, "--parallel", 4, "--prefill-chunk", 7, lines=few_lines() * 2)
    assert ids == ids_by_kv_type[kv_type] * 2


def test_kv_types_are_different(ids_by_kv_type):
    """The flag reaches the cache: four bits are not the same as thirty-two."""
    assert ids_by_kv_type["q4_0"] != ids_by_kv_type["f32"]


def test_sampled_tokens_depend_on_the_seed_only():
    lines = [line | {"temp": 0.8, "seed": seed, "top_k": 50} for seed, line in enumerate(few_lines())]
    together, _ = generate("smollm2", "--parallel", 8, lines=lines)
    one_by_one, _ = generate("smollm2", "--parallel", 1, "--prefill-chunk", 7, lines=lines)
    assert together == one_by_one
    others, _ = generate("smollm2", "--parallel", 8, lines=[line | {"seed": line["seed"] + 100} for line in lines])
    assert others != together
