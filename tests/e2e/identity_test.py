"""The same greedy tokens whatever runs beside, however the prompt is cut, after preemption and with reused prefixes."""
import json

import pytest
from conftest import model_path, run
from golden_data import continuations

N_TOKENS = 32
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


@pytest.mark.parametrize("model", MODELS)
def test_forced_preemption(model):
    """Long answers outgrow a pool that holds the longest prompt and little more."""
    lines = [line | {"n": 96} for line in lines_for(model)[:-1]]
    one_by_one, _ = generate(model, "--parallel", 1, "--no-prefix-cache", lines=lines)
    ids, stats = generate(model, "--parallel", 8, "--no-prefix-cache", "--kv-tokens", 480, "--prefill-chunk", 64, lines=lines)
    assert ids == one_by_one
    assert stats["preemptions"] > 0
    assert stats["free_pages"] == stats["pages"]


@pytest.mark.parametrize("model", MODELS)
def test_prefix_reuse(alone, model):
    ids, stats = generate(model, "--parallel", 1, lines=lines_for(model) * 2)
    assert ids == alone(model) * 2
    n_long = len(continuations(model)[9]["prompt_ids"])
    assert stats["cached_tokens"] > 2 * n_long  # both long prompts came from the cache the second time
    assert stats["free_pages"] == stats["pages"]


def test_prefix_reuse_beside_preemption(alone):
    """Prompts that share pages run together in a pool that is too small."""
    ids, stats = generate("smollm2", "--parallel", 8, "--kv-tokens", 800, "--prefill-chunk", 64, lines=lines_for("smollm2") * 2)
    assert ids == alone("smollm2") * 2
    assert stats["preemptions"] > 0 and stats["cached_tokens"] > 0


@pytest.mark.parametrize("kv_type", ["bf16", "f32", "q8_0", "q4_0"])
def test_kv_types_agree_with_themselves(kv_type):
    lines = lines_for("smollm2")[::2] + lines_for("smollm2")[-1:]
    reference, _ = generate("smollm2", "--kv-type", kv_type, "--parallel", 1, "--no-prefix-cache", lines=lines)
    ids, _ = generate("smollm2", "--kv-type", kv_type, "--parallel", 4, "--prefill-chunk", 7, lines=lines * 2)
    assert ids == reference * 2


def test_kv_types_are_different():
    """The flag reaches the cache: four bits are not the same as thirty-two."""
    exact, coarse = (generate("smollm2", "--kv-type", kv_type)[0] for kv_type in ("f32", "q4_0"))
    assert exact != coarse


def test_sampled_tokens_depend_on_the_seed_only():
    lines = [line | {"temp": 0.8, "seed": seed, "top_k": 50} for seed, line in enumerate(lines_for("smollm2"))]
    together, _ = generate("smollm2", "--parallel", 8, lines=lines)
    one_by_one, _ = generate("smollm2", "--parallel", 1, "--prefill-chunk", 7, lines=lines)
    assert together == one_by_one
    others, _ = generate("smollm2", "--parallel", 8, lines=[line | {"seed": line["seed"] + 100} for line in lines])
    assert others != together
