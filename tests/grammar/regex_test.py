"""Regular expressions against Python's `re` (re.ASCII, fullmatch)."""
import random
import re

from conftest import judge

PATTERNS = [
    "", "a", "abc|de", "a*b+c?", "(ab)*", "(?:a|b){2,3}", "[abc]+", "[^abc]", "[a-cx-z]{2}", r"\d+\.\d{2}", r"[\w.]+@[\w]+", ".",
    ".*a.*", "a.c", r"\s\S", r"\D\W", "a{0}", "a{3}", "a{2,}", "(a|ab)(c|bcd)", "((a)|(b))*c", "x*?y+?", r"\x41\u00fc", r"[\]\-\\]",
    "[a\\-z]", "(?P<n>a+)b", "^ab$", "^(a|b)$", "(^a|b)c", "a(b$|c)", r"\t\n", r"[\d_]+", r"[^\d\s]+", "é[à-ü]", "😀|中+", "a||b",
    "(|a)b", "(a+)+b", "(a*)*", "(?:(?:a?){3})b", "[a-z]{17,20}", "(?:[a-z]{2} ){17,19}", "[ -~]+", r"\(\)\[\]\{\}", "a{,x}", "{a}",
    r"(\d{1,3}\.){3}\d{1,3}", r"0|[1-9]\d*", r"-?\d+([eE][+-]?\d+)?", "[.]", "[+*?]", r"\/", r"\.\*",
]
ALPHABET = "abcdexyz01 .-_\\]@\nAéüà中😀{}()[],+*"


def texts_for(pattern, r):
    texts = ["", "a", "ab", "abc", "aab", "b", "c", "\n", "10.20", "é", "中中", "a" * 18, "ab " * 17, "a\n", "Aü", "éà", "-12e5", "1.2.3.4"]
    literal = re.sub(r"[\\^$*+?{}()|\[\]]", "", pattern)
    for _ in range(60):
        texts.append("".join(r.choices(ALPHABET, k=r.randint(1, 6))))
        texts.append("".join(r.choices(literal or "a", k=r.randint(1, 5))))
    return texts


def test_corpus_against_python():
    r = random.Random(3)
    requests = [{"regex": pattern, "texts": texts_for(pattern, r), "samples": 20, "seed": 5} for pattern in PATTERNS]
    n_matches = n_samples = 0
    for request, answer in zip(requests, judge(requests)):
        assert "error" not in answer, (request["regex"], answer)
        compiled = re.compile(request["regex"], re.ASCII)
        # Python's $ also matches before a line feed at the end; here it is the end.
        matches = lambda text: compiled.fullmatch(text) is not None and not ("$" in request["regex"] and text.endswith("\n"))
        for text, accepted in zip(request["texts"], answer["accepts"]):
            assert accepted == matches(text), (request["regex"], text)
            n_matches += accepted
        for sample in answer["samples"]:
            if sample is None:
                continue
            # ECMA-262 has more white space than re.ASCII.
            assert matches(sample) or re.search(r"\\s|\\S", request["regex"], re.I), (request["regex"], sample)
            n_samples += 1
    print(f"{len(PATTERNS)} patterns, {n_matches} matches, {n_samples} samples")
    assert n_matches > 200 and n_samples > 800


def test_random_patterns_against_python():
    r = random.Random(11)

    def make(depth):
        kind = r.randrange(7 if depth > 0 else 2)
        if kind < 2:
            return r.choice(["a", "b", "c", ".", "[ab]", "[^a]", "\\d", "\\w"])
        if kind == 2:
            return make(depth - 1) + make(depth - 1)
        if kind == 3:
            return f"(?:{make(depth - 1)}|{make(depth - 1)})"
        return f"(?:{make(depth - 1)})" + r.choice(["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}"])

    patterns = [make(4) for _ in range(300)]
    requests = [{"regex": pattern, "texts": ["".join(r.choices("abc1 ", k=r.randint(0, 8))) for _ in range(60)], "samples": 5}
                for pattern in patterns]
    for request, answer in zip(requests, judge(requests)):
        assert "error" not in answer, (request["regex"], answer)
        compiled = re.compile(request["regex"], re.ASCII)
        for text, accepted in zip(request["texts"], answer["accepts"]):
            assert accepted == (compiled.fullmatch(text) is not None), (request["regex"], text)
        for sample in answer["samples"]:
            assert sample is None or compiled.fullmatch(sample), (request["regex"], sample)
