"""Reference results and how ours are held against them. Nothing here was made by the engine itself.

tests/data/generate/MODEL.jsonl: greedy continuations by llama.cpp 0.7.0 on the weights expanded to F32, with F32 matrix products and KV
cache. A line has the `prompt` (taken as it is) or `messages` (through the model's template), their `prompt_ids`, up to 96 `ids` and, for
each, the `margin` between the best logit and the second best. It ends at an end-of-generation token, which is then the last id.
"""
import json
import pathlib

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
MAX_TOKENS = 96

# The margin below which the two best tokens count as tied, so that rounding may choose either.
TIE = 0.4
REFERENCE_TIE = 0.01


def read_jsonl(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def continuations(name):
    return read_jsonl(DATA / "generate" / f"{name}.jsonl")


def departure(golden, ids, n=MAX_TOKENS):
    """Where `ids`, of at most n tokens, leaves the golden continuation: an index, or None if it does not."""
    wanted = golden["ids"][:n]
    for index, (want, got) in enumerate(zip(wanted, ids)):
        if want != got:
            return index
    # The last golden id may be the end token, which is not among ours.
    return len(ids) if len(ids) < len(wanted) - 1 else None


def complaint(golden, answer, tie, n=MAX_TOKENS):
    """What is wrong with an answer of `generate`, or None."""
    if "error" in answer:
        return f"{golden['name']}: {answer['error']}"
    if answer["prompt_ids"] != golden["prompt_ids"]:
        return f"{golden['name']}: the prompt's ids are {answer['prompt_ids']}"
    index = departure(golden, answer["ids"], n)
    if index is None or golden["margin"][index] < tie:
        return None
    return (f"{golden['name']}: token {index} is {answer['ids'][index:index + 1]}, not {golden['ids'][index]}, "
            f"by a margin of {golden['margin'][index]}")


def best_agrees(reference, measured):
    """Whether the most likely token is the same; None where the reference's two best are too close to tell."""
    (first, logprob), (_, second_logprob) = reference["top"][:2]
    return None if logprob - second_logprob < 0.01 else first == measured["top"][0][0]
