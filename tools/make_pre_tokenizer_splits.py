#!/usr/bin/env python3
"""Writes tests/data/pre_tokenizer_splits.jsonl: how the published regular expressions of pre-tokenizers split random texts.

The expressions are run by the Python package `regex`, so that the hand-written scanners are checked against something
that shares nothing with them. Usage: make_pre_tokenizer_splits.py [TEXTS_PER_ROW [SEED]] > OUT
"""
import json
import random
import sys

import regex

# \s of the engines that these expressions were written for; Python's own has U+001C to U+001F besides.
SPACE = r"\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
ANY_CASE = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
WORDS = ANY_CASE + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
CASED = (r"[^\r\n\p{L}\p{N}]?" + UPPER + "*" + LOWER + r"+SUFFIX|[^\r\n\p{L}\p{N}]?" + UPPER + "+" + LOWER +
         r"*SUFFIX|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
EAST_ASIAN = r"(?:(?!\s)[一-龥ࠀ-一가-\ud7ff])+"
ROWS = {
    "gpt-2": [GPT2],
    "smollm": [r"\p{N}", GPT2],
    "default": [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", r"[0-9][0-9][0-9]"],
    "falcon": [r"[\p{P}\$\+<=>\^~\|`]+", GPT2, r"[0-9][0-9][0-9]"],
    "llama3": [WORDS],
    "qwen2": [WORDS.replace("{1,3}", "")],
    "qwen35": [ANY_CASE + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "ufakzeka": [WORDS.replace("{1,3}", "").replace(ANY_CASE + "|", "")],
    "seed-coder": [WORDS.replace("{1,3}", "").replace(r"[^\s\p{L}\p{N}]+[\r\n]*", r"[^\s\p{L}\p{N}\r\n]+")],
    "bailingmoe": [r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"],
    "minicpm5": [r"\p{N}{1,3}", WORDS.replace("{1,3}", "+")],
    "tekken": [CASED.replace("SUFFIX", "").replace("DIGITS", r"\p{N}")],
    "gpt-4o": [CASED.replace("SUFFIX", ANY_CASE + "?").replace("DIGITS", r"\p{N}{1,3}")],
    "deepseek-coder": [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", EAST_ASIAN, r"\p{N}"],
    "deepseek-v3": [r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+",
                    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|"
                    r" ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "bloom": [r" ?[^(\s|.,!?…。，、।۔،)]+"],
    "viking": [r" ?[^(\s|.,!?…。，、।۔،)]+", r"\p{N}"],
    "jais-2": [WORDS.replace(r"|\s+(?!\S)|\s+", "") + "".join(r"|\s{%d}(?!\S)" % 2**i for i in range(9, 1, -1)) +
               r"|\s{1,2}(?!\S)|\s{1}"],
    "laguna": [r"[^\n]+|[\n]+", WORDS.replace("{1,3}", "")],
    "exaone-moe": [ANY_CASE + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|"
                   r"\s+(?!\S)|\s+"],
    "tiny_aya": [r"\d{1,3}(?=(?:\d{3})*(?![\p{L}\p{M}\p{Nd}\p{Pc}]))",
                 CASED.replace("SUFFIX", ANY_CASE + "?").replace("DIGITS", r"\p{N}{1,3}")],
    "youtu": [r"[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+",
              CASED.replace("SUFFIX", ANY_CASE + "?").replace("DIGITS", r"\p{N}")],
    "kimi-k2": [r"\p{Han}+|" + CASED.replace("SUFFIX", ANY_CASE + "?").replace("DIGITS", r"\p{N}{1,3}").replace("/", "")
                .replace(UPPER, r"(?:(?!\p{Han})" + UPPER + ")").replace(LOWER, r"(?:(?!\p{Han})" + LOWER + ")")],
    "spark2_5": [r"\p{N}{1,3}", r"[一-龥぀-ゟ゠-ヿ]+",
                 r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|"
                 r" ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+", r"\p{N}"],
    "afmoe": [r"\p{N}+", r"\p{N}{1,3}(?=(?:\p{N}{3})*$)",
              r"[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\u3040-\u309f\u30a0-\u30ff\uff65-\uff9f\u2f00-\u2fdf\u0e40-\u0e7f\u0e80-\u0eff\u1780-\u17ff\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff\uac00-\ud7af\u1100-\u11ff]+",
              r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|"
              r" ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"],
    "superbpe": [r"\p{N}+", r"(?=(?:\d{3})+(?!\d))"],
    "chameleon": [r"<sentinel:[0-9]+>", r"IMGIMG[A-I]{1,4}Z", r"[\t\n]|    |  ", r"\p{N}", r"[\p{P}!-/:-@\[-`{-~]", GPT2],
}
# Letters of every case, marks of every kind, digits, punctuation, symbols, white space, controls, unassigned code points.
ATOMS = (list("aszARSTDMLtedlvmr019'\"$`^~|<=>+_-/.,!?()") + [" ", " ", " ", "\n", "\r", "\r\n", "\t", "\x0b", "\x1c", "\x00"] +
         ["'s", "'T", "'re", "'VE", "'m", "'Ll", "'d", "'ſ", "ſ", "é", "Ж", "ж", "ǅ", "ª", "ʰ", "ß", "ა", "ք"] +
         ["\u0301", "\u0323", "\u0940", "\u20dd", "\u200d", "\u200b", "\ufe0f", "\u00ad", "\u0378", "\ue000"] +
         ["中", "文", "ア", "の", "한", "\u1112", "ก", "่", "ा", "न", "ع", "ِ", "٣", "²", "½", "Ⅷ", "𝟗", "𝒜", "😀", "€"] +
         ["\u00a0", "\u3000", "\u2003", "\u2028", "\u0085", "。", "，", "！", "…", "‘", "“", "।", "«"])


# Further ones for rows with rules of their own.
DIGITS = ["0", "12", "123", "4567", "12345678", "٣٤٥٦", "_", "a"]
EXTRA = {"jais-2": [" " * n for n in (3, 4, 5, 9, 17, 40, 300, 700)] + ["\u2003" * 6], "laguna": ["\n\n", "a\nb"],
         "exaone-moe": ["ab cd", "a  b", "e\u0301 f", " / "], "tiny_aya": DIGITS, "superbpe": DIGITS, "afmoe": DIGITS + ["ไทย", "가나"],
         "youtu": ["ㄅㄆ", "ㄱㅏ", "〈〉", "——"], "kimi-k2": ["々", "〇", "⺀", "a中b", "/", "中文字"], "spark2_5": ["\n\n", "12345"],
         "chameleon": ["<sentinel:12>", "<sentinel:>", "IMGIMGABZ", "IMGIMGABCDEZ", "IMGIMGZ", "IMG", "    ", "  "]}


def compile_stage(pattern):
    out, i, in_class = [], 0, False
    while i < len(pattern):
        two = pattern[i:i + 2]
        if two == r"\s":
            out.append(SPACE if in_class else f"[{SPACE}]")
            i += 2
        elif two == r"\S":
            out.append(f"[^{SPACE}]")
            i += 2
        elif pattern[i] == "\\":
            out.append(two)
            i += 2
        else:
            in_class = pattern[i] == "[" or (in_class and pattern[i] != "]")
            out.append(pattern[i])
            i += 1
    return regex.compile("".join(out), flags=regex.V0)


def split(text, stages):
    if not stages:
        return [text]
    pieces, end = [], 0
    for match in stages[0].finditer(text):
        if match.start() > end:
            pieces += split(text[end:match.start()], stages[1:])
        if match.end() > match.start():
            pieces += split(match.group(), stages[1:])
        end = match.end()
    return pieces + (split(text[end:], stages[1:]) if end < len(text) else [])


def random_text(rng, extra):
    text = ""
    for _ in range(rng.randint(1, 14)):
        text += rng.choice(extra if extra and rng.random() < 0.4 else ATOMS) * (rng.randint(2, 7) if rng.random() < 0.25 else 1)
    return text


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    for name, patterns in ROWS.items():
        stages = [compile_stage(pattern) for pattern in patterns]
        for _ in range(count):
            text = random_text(rng, EXTRA.get(name))
            print(json.dumps({"pre": name, "words": split(text, stages)}, ensure_ascii=True))


main()
