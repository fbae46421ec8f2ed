#!/usr/bin/env python3
"""Writes tests/data/tokenizer: small vocabularies of every kind with texts and the ids that other implementations give.

  unigram, unigram-bytes   trained and encoded by the package `sentencepiece`
  wordpiece, wordpiece-cased, bpe, raw-bpe, raw-bpe-lines, raw-bpe-words   trained and encoded by the package `tokenizers`
  rwkv, plamo2   encoded by the few lines of plain Python below, which do what the published tokenizers do

NAME.gguf holds the vocabulary (written by the package `gguf`), NAME.jsonl lines {"text" or "text_hex", "ids"}; no
special tokens are added or parsed. Usage: make_tokenizer_golden.py [SEED]
"""
import io
import json
import pathlib
import random
import sys

import gguf
import sentencepiece
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "tokenizer"
TYPE = gguf.TokenType

SENTENCES = """\
The kettle sang while the rain drew lines on the window, and nobody in the house wanted to go out.
She counted the stairs twice; there were seventeen, as there had always been.
Bring two litres of water, 250 grams of flour, a pinch of salt and some patience.
It's late, isn't it? We've waited since half past seven, and they'll be here soon.
Der Zug nach Zürich hält heute nicht in Baden, weil dort gebaut wird.
Größere Mengen Öl gehören nicht in den Ausguß, sondern in die Tonne.
Le garçon a mangé deux crêpes, puis il s'est endormi près de la fenêtre.
¿Dónde está la llave? Mañana la buscaré con más calma.
Сегодня утром снег ещё лежал на крышах, а к вечеру растаял.
今天早上的雪已经化了，街上只剩下一些水。
雨が降っているので、傘を持って行きましょう。
오늘 아침에는 눈이 왔지만 저녁에는 다 녹았습니다.
हवा तेज़ है, इसलिए खिड़की बंद कर दो।
السماء صافية اليوم والهواء بارد قليلا.
def add(left, right):\n    return left + right  # nothing more
for (int i = 0; i < n; ++i) { sum += values[i] * 2; }
{"name": "lamp", "price": 12.50, "tags": ["small", "green"], "sold": false}
Call 555-0199 or write to desk@example.org before 17:45 on 3/4/2021.
""".splitlines()

ODD = ["", " ", "  ", "\n", "a", " a", "a ", "  a  b  ", "\ta\n\nb\t", "aaaaaaaaaaaaaaaaaaaaaaaa", "▁", "a▁b", "▁▁a", "é", "e\u0301",
       "ﬁne ﬂow", "Ａｂｃ１２", "①½²", "ß ẞ İ ı Σς", "\u00a0a\u00a0b\u3000c\u2003", "a\u200bb\u200dc\ufeffd", "a\u0000b\u0001c\u007f",
       "👩‍💻 🏳️‍🌈 🇩🇪", "中文字符", "한국어", "\u1112\u1161\u11ab", "क्ष", "x" * 101, "x" * 100, "\ufffd", "\U0010ffff", "\ue000", "𠀀𪜀",
       "<user> and <user2>", "a<user>b", "<s></s><unk>", "[CLS] [SEP] [UNK] [MASK]", "don't can't", "...!?;", "$%^`|~", "“q” ‘r’ – — …",
       "a\x0bb\x0cc\x85d", "Ⅷ ㎏ ﷺ", "ﾊﾝｶｸ", "1234567890", "\\n \\x41 \\\\", "''\"\"", "a\u0300\u0316\u0300b", "\u0344\u0385", "ſ K Å"]


def texts(rng):
    words = [word for line in SENTENCES for word in line.split(" ")]
    alphabet = "".join(SENTENCES) + "  \n\téÉ\u0301ﬁ▁'"
    yield from SENTENCES
    yield from ODD
    for _ in range(120):
        yield rng.choice([" ", "  ", " ", "\n"]).join(rng.choice(words) for _ in range(rng.randrange(1, 12)))
    for _ in range(120):
        yield "".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 30)))
    for _ in range(60):
        yield "".join(rng.choice(ODD) + rng.choice(["", " ", "a"]) for _ in range(3))
    yield " ".join(rng.choice(words) for _ in range(3000))


def training_lines(rng):
    words = [word for line in SENTENCES for word in line.split(" ")]
    return SENTENCES * 5 + [" ".join(rng.choice(words) for _ in range(15)) for _ in range(400)]


def write_gguf(name, model, tokens, types, scores=None, merges=None, pre=None, **keys):
    writer = gguf.GGUFWriter(OUT / f"{name}.gguf", "vocabulary")
    writer.add_tokenizer_model(model)
    if pre:
        writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    if scores is not None:
        writer.add_token_scores(scores)
    if merges is not None:
        writer.add_token_merges(merges)
    for key, value in keys.items():
        key = "tokenizer.ggml." + key.replace("__", ".")
        if isinstance(value, bytes):
            writer.add_array(key, value)
        elif isinstance(value, bool):
            writer.add_bool(key, value)
        else:
            writer.add_uint32(key, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def write_cases(name, rng, encode, extra=()):
    with open(OUT / f"{name}.jsonl", "w", encoding="utf-8") as out:
        for text in texts(rng):
            out.write(json.dumps({"text": text, "ids": encode(text)}, ensure_ascii=False) + "\n")
        for data in extra:
            out.write(json.dumps({"text_hex": data.hex(), "ids": encode(data)}) + "\n")


def make_unigram(name, rng, **options):
    """Trained with normalization rules of its own, so that the file stays small."""
    rules = {"ﬁ": "fi", "ﬂ": "fl", "Ａ": "A", "ｂ": "b", "½": "1/2", "²": "2", "\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "e\u0301": "é",
             "\u200b": "", "㎏": "kg", "ß": "ss", "…": "...", "  a": "A A"}
    path = OUT / "rules.tsv"
    path.write_text("".join(" ".join(f"{ord(c):X}" for c in key) + "\t" + " ".join(f"{ord(c):X}" for c in value) + "\n"
                            for key, value in rules.items()), encoding="utf-8")
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(training_lines(rng)), model_writer=model, model_type="unigram", vocab_size=700, pad_id=0, eos_id=1, unk_id=2,
        bos_id=-1, normalization_rule_tsv=str(path), user_defined_symbols=["<user>", "<user2>"], hard_vocab_limit=False, minloglevel=2,
        num_threads=1, **options)
    path.unlink()
    write_unigram(name, rng, model.getvalue())


def write_unigram(name, rng, model):
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    from sentencepiece import sentencepiece_model_pb2
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    n = processor.get_piece_size()
    types = [{1: TYPE.NORMAL, 2: TYPE.UNKNOWN, 3: TYPE.CONTROL, 4: TYPE.USER_DEFINED, 5: TYPE.UNUSED, 6: TYPE.BYTE}[p.type] for p in proto.pieces]
    spec = proto.normalizer_spec
    write_gguf(name, "t5", [processor.id_to_piece(i) for i in range(n)], types, [processor.get_score(i) for i in range(n)],
               precompiled_charsmap=spec.precompiled_charsmap, add_space_prefix=spec.add_dummy_prefix,
               remove_extra_whitespaces=spec.remove_extra_whitespaces, eos_token_id=1, unknown_token_id=2, padding_token_id=0,
               add_bos_token=False, add_eos_token=True)
    write_cases(name, rng, lambda text: processor.encode(text), [b"caf\xe9 noir", b"\xed\xa0\x80x\xff\xe4\xb8"])


def make_wordpiece(name, rng, lowercase):
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=900, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(training_lines(rng), trainer)
    vocab = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    tokens = [text[2:] if text.startswith("##") else text if text in special else "▁" + text for text, _ in vocab]
    types = [TYPE.CONTROL if text in special else TYPE.NORMAL for text, _ in vocab]
    write_gguf(name, "bert", tokens, types, unknown_token_id=1, cls_token_id=2, seperator_token_id=3, padding_token_id=0, mask_token_id=4,
               normalizer__lowercase=lowercase)
    # The library finds special tokens in any text; without them it reads them as we do.
    plain = tokenizers.Tokenizer(tokenizer.model)
    plain.normalizer, plain.pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer
    write_cases(name, rng, lambda text: plain.encode(text).ids)


def make_bpe(rng):
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(training_lines(rng), trainer)
    state = json.loads(tokenizer.to_str())["model"]
    tokens = [text for text, _ in sorted(state["vocab"].items(), key=lambda item: item[1])]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in state["merges"]]
    end = len(tokens)
    write_gguf("bpe", "gpt2", tokens + ["<|end|>", "<|start|>"], [TYPE.NORMAL] * end + [TYPE.CONTROL] * 2, merges=merges, pre="gpt-2",
               eos_token_id=end)
    write_cases("bpe", rng, lambda text: tokenizer.encode(text).ids)


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def train_raw_bpe(rng, pre_tokenizer, **options):
    """Pieces and merges over characters, of which the rarest are left out."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Replace(" ", "▁") if pre_tokenizer is None else normalizers.Lowercase()
    # In training a word ends before each space, else whole lines would become pieces.
    tokenizer.pre_tokenizer = pre_tokenizer or pre_tokenizers.Split("▁", "merged_with_next")
    trainer = trainers.BpeTrainer(vocab_size=600, limit_alphabet=150, show_progress=False, **options)
    tokenizer.train_from_iterator(training_lines(rng), trainer)
    state = json.loads(tokenizer.to_str())["model"]
    pieces = [text for text, _ in sorted(state["vocab"].items(), key=lambda item: item[1])]
    return pieces, [tuple(merge.split(" ")) if isinstance(merge, str) else tuple(merge) for merge in state["merges"]]


def runs_of(character, longest):
    """Pieces of repeated characters with all their merges, the longest first."""
    merges = [(character * left, character * (n - left)) for n in range(longest, 1, -1) for left in range(n - 1, 0, -1)]
    return [character * n for n in range(1, longest + 1)], merges


def make_raw_bpe(name, rng, lines):
    """As Gemma 4's, or (`lines`) as mmBERT's: line ends are added tokens, what stands between them begins with a space."""
    pieces, merges = train_raw_bpe(rng, None)
    newlines, newline_merges = runs_of("\n", 5)
    spaces, space_merges = runs_of("▁", 6)
    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    pieces = [piece for piece in pieces if piece not in newlines + spaces]
    tokens = special + BYTES + newlines + spaces + pieces
    merges = ([] if lines else newline_merges) + space_merges + [merge for merge in merges if merge not in space_merges]
    model = models.BPE({text: i for i, text in enumerate(tokens)}, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    if lines:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
        tokenizer.add_tokens([tokenizers.AddedToken(text, normalized=False) for text in newlines])
    # Converted files do not always say which tokens are bytes.
    types = [TYPE.CONTROL] * 3 + [TYPE.UNKNOWN] + [TYPE.NORMAL if lines else TYPE.BYTE] * 256
    types += [TYPE.USER_DEFINED if lines else TYPE.NORMAL] * len(newlines) + [TYPE.NORMAL] * (len(tokens) - len(types) - len(newlines))
    write_gguf(name, "gpt2" if lines else "gemma4", tokens, types, None if lines else [-1000.0] * len(tokens),
               [" ".join(merge) for merge in merges], "mmbert" if lines else None, bos_token_id=2, eos_token_id=1, unknown_token_id=3,
               padding_token_id=0, add_bos_token=not lines, add_eos_token=False)
    write_cases(name, rng, lambda text: tokenizer.encode(text).ids)


def make_raw_bpe_words(rng):
    """As Jina's Chinese one: words in lower case, white space dropped, an unknown token for each unknown character."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    pieces, merges = train_raw_bpe(rng, pre_tokenizers.Whitespace())
    tokens = special + pieces
    tokenizer = tokenizers.Tokenizer(models.BPE({text: i for i, text in enumerate(tokens)}, merges, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    types = [TYPE.CONTROL] * 3 + [TYPE.UNKNOWN, TYPE.CONTROL] + [TYPE.NORMAL] * len(pieces)
    write_gguf("raw-bpe-words", "whitespace", tokens, types, merges=[" ".join(merge) for merge in merges], pre="whitespace", bos_token_id=0,
               eos_token_id=2, unknown_token_id=3, padding_token_id=1, mask_token_id=4, normalizer__lowercase=True)
    write_cases("raw-bpe-words", rng, lambda text: tokenizer.encode(text).ids)


def make_plamo2(rng):
    lines = training_lines(rng)
    pieces = {character for line in SENTENCES for character in line if rng.random() < 0.8}
    while len(pieces) < 700:
        line = rng.choice(lines)
        begin = rng.randrange(len(line))
        pieces.add(line[begin:begin + rng.randrange(2, 9)])
    pieces |= {"\n", "\n\n", "  ", "▁", "a▁b", "aa", "aaaa", "x" * 40, "\ufeff"}
    tokens = ["<|plamo:unk|>", "<|plamo:bos|>", "<|plamo:eos|>", "<|plamo:pad|>", "<|plamo:op|>"] + BYTES + sorted(pieces)
    types = [TYPE.UNKNOWN] + [TYPE.CONTROL] * 4 + [TYPE.BYTE] * 256 + [TYPE.NORMAL] * len(pieces)
    # Few different scores, so that there are many ties. 1/32 is exact in 32 bits, and its halves of a ten-thousandth are.
    scores = [0.0] * 261 + [-rng.randrange(32, 320) / 32 for _ in pieces]
    write_gguf("plamo2", "plamo2", tokens, types, scores, pre="default", bos_token_id=1, eos_token_id=2, unknown_token_id=0, padding_token_id=3,
               eot_token_id=4, add_space_prefix=False)
    ids = {text: i for i, text in enumerate(tokens) if types[i] == TYPE.NORMAL}

    def encode(text):
        best = [None] * len(text) + [(0, 0, None)]  # from each place on: price, minus the characters of the first token, its id
        for i in reversed(range(len(text))):
            ways = [(best[i + 1][0] + 10_000_000, 0, None)]
            for n in range(1, min(40, len(text) - i) + 1):
                if text[i:i + n] in ids:
                    id = ids[text[i:i + n]]
                    ways.append((best[i + n][0] - round(scores[id] * 1e4), -n, id))
            best[i] = min(ways)
        out, i = [], 0
        while i < len(text):
            _, n, id = best[i]
            out += [id] if n else [5 + byte for byte in text[i].encode()]
            i += -n or 1
        return out

    write_cases("plamo2", rng, encode)


def make_rwkv(rng):
    pieces = {bytes([byte]) for byte in range(256)}
    lines = [line.encode() for line in training_lines(rng)]
    while len(pieces) < 900:
        line = rng.choice(lines)
        begin = rng.randrange(len(line))
        pieces.add(line[begin:begin + rng.randrange(2, 9)])
    pieces |= {b"\n\n", b"    ", b"\\n", b"'", b"a\x00b", b"x" * 40}
    tokens = [b"<s>"] + sorted(pieces, key=lambda piece: (len(piece), piece))
    written = ["<s>"] + [repr(piece)[2:-1] for piece in tokens[1:]]
    write_gguf("rwkv", "rwkv", written, [TYPE.CONTROL] + [TYPE.NORMAL] * len(pieces), eos_token_id=0)
    ids = {piece: i for i, piece in enumerate(tokens) if i > 0}

    def encode(text):
        data = text.encode() if isinstance(text, str) else text
        out = []
        while data:
            length = max(n for n in range(1, min(len(data), 64) + 1) if data[:n] in ids)
            out.append(ids[data[:length]])
            data = data[length:]
        return out

    write_cases("rwkv", rng, encode, [b"caf\xe9 noir", bytes(range(256)), b"\xed\xa0\x80x\xff\xe4\xb8"])


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    OUT.mkdir(parents=True, exist_ok=True)
    make_unigram("unigram", random.Random(seed))
    make_unigram("unigram-bytes", random.Random(seed + 1), byte_fallback=True, remove_extra_whitespaces=False, add_dummy_prefix=False)
    make_wordpiece("wordpiece", random.Random(seed + 2), True)
    make_wordpiece("wordpiece-cased", random.Random(seed + 3), False)
    make_bpe(random.Random(seed + 4))
    make_rwkv(random.Random(seed + 5))
    make_raw_bpe("raw-bpe", random.Random(seed + 6), lines=False)
    make_raw_bpe("raw-bpe-lines", random.Random(seed + 7), lines=True)
    make_raw_bpe_words(random.Random(seed + 8))
    make_plamo2(random.Random(seed + 9))


if __name__ == "__main__":
    main()
