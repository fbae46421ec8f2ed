// The stages that the table of pre-tokenizers is made of. Each names the expression it stands for.
#pragma once

#include "text/tokenizer/scan.h"

namespace rf::scan {

// --- stages_gpt.cc: words with their leading space, and what grew out of that ---

/// GPT-2: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
const char* Gpt2(const char* p, const char* end);
/// cl100k, Llama 3: `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|
/// \s*[\r\n]+|\s+(?!\S)|\s+`
const char* Llama3(const char* p, const char* end);
/// As Llama3 with single digits: `\p{N}`.
const char* Qwen2(const char* p, const char* end);
/// As Qwen2 with marks counted to the letters: `[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+`, ` ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*`.
const char* Qwen35(const char* p, const char* end);
/// As Qwen2 without the contractions.
const char* NoContractions(const char* p, const char* end);
/// As Qwen2 with punctuation that does not take line ends along: ` ?[^\s\p{L}\p{N}\r\n]+`.
const char* SeedCoder(const char* p, const char* end);
/// As Llama3 with unlimited digits: `\p{N}+`.
const char* ManyDigits(const char* p, const char* end);
/// Tekken:
/// `[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}
/// \p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`
const char* Tekken(const char* p, const char* end);
/// o200k: as Tekken, each word with `(?i:'s|'t|'re|'ve|'m|'ll|'d)?` behind it, and `\p{N}{1,3}`.
const char* Gpt4o(const char* p, const char* end);

/// As Gpt4o with single digits.
const char* Gpt4oSingleDigits(const char* p, const char* end);
/// Kimi K2: `\p{Han}+`, then as Gpt4o without Chinese characters in its words and without `/` behind punctuation.
const char* KimiK2(const char* p, const char* end);
/// EXAONE MoE: as Qwen2, but a word is `(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+`, and punctuation takes `[\r\n/]?` along.
const char* ExaoneMoe(const char* p, const char* end);

// --- stages_deepseek.cc ---

/// DeepSeek V3: ``[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|
/// ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+``
const char* DeepSeekV3(const char* p, const char* end);
/// As DeepSeekV3, but ` ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+`
const char* Spark25(const char* p, const char* end);
/// `[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+`
const char* YoutuEastAsian(const char* p, const char* end);
/// `[一-鿿㐀-䶿豈-﫿぀-ゟ゠-ヿ･-ﾟ⼀-⿟เ-๿຀-໿ក-៿က-႟ꩠ-ꩿꧠ-꧿가-힯ᄀ-ᇿ]+`
const char* AfmoeAsian(const char* p, const char* end);
/// `[一-龥぀-ゟ゠-ヿ]+`
const char* HanAndKana(const char* p, const char* end);
/// `[\r\n]`
const char* SingleNewline(const char* p, const char* end);
/// `\s?\p{L}+`
const char* SpaceLetters(const char* p, const char* end);
/// `\s?\p{P}+`
const char* SpacePunctuation(const char* p, const char* end);
/// `\s?[letters]+` with the cased letters that DeepSeek LLM lists.
const char* SpaceListedLetters(const char* p, const char* end);
/// `\s?[!-/:-~！-／：-～‘-‟　-。]+`, but U+3000 is white space only, as in the reference vectors
const char* SpaceListedPunctuation(const char* p, const char* end);
/// `\s+$`
const char* SpacesAtEnd(const char* p, const char* end);
/// `[一-龥ࠀ-一가-퟿]+`, but no white space, as in the reference vectors
const char* EastAsian(const char* p, const char* end);

// --- stages_runs.cc: runs of digits and punctuation ---

/// `\p{N}`
const char* SingleDigit(const char* p, const char* end);
/// `\p{N}+`
const char* DigitRun(const char* p, const char* end);
/// `\p{N}{1,3}`
const char* UpToThreeDigits(const char* p, const char* end);
/// `[0-9][0-9][0-9]`
const char* ThreeAsciiDigits(const char* p, const char* end);
/// ``[\p{P}\$\+<=>\^~\|`]+``
const char* FalconPunctuation(const char* p, const char* end);
/// `[\p{P}\$\+<=>\^~\|]+`
const char* DefaultPunctuation(const char* p, const char* end);
/// `\d+(?!\w)`
const char* DigitsBeforeBoundary(const char* p, const char* end);
/// Cuts in front of the first of the triples that end a run of digits (or numbers): with DigitTriples behind it
/// `(?=(\d{3})+(?!\d))`.
const char* LeadingDigits(const char* p, const char* end);
const char* LeadingNumbers(const char* p, const char* end);
/// Three digits off a piece that begins with more.
const char* DigitTriples(const char* p, const char* end);
/// The same for pieces that end with a digit only.
const char* LeadingDigitsAtEnd(const char* p, const char* end);
const char* DigitTriplesAtEnd(const char* p, const char* end);
/// `\n+`
const char* NewlineRun(const char* p, const char* end);
/// Cuts a piece of white space without line end at its end by
/// `\s{512}(?!\S)|\s{256}(?!\S)|…|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}`, given that Llama3 has cut before.
const char* SpacePowers(const char* p, const char* end);
/// `<sentinel:[0-9]+>`
const char* ChameleonSentinel(const char* p, const char* end);
/// `(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z`
const char* ChameleonImage(const char* p, const char* end);
/// `([\t\n]|    |  )`
const char* ChameleonSpaces(const char* p, const char* end);
/// ``[\p{P}!-/:-@\[-`{-~]``
const char* SinglePunctuation(const char* p, const char* end);
/// ` ?[^(\s|.,!?…。，、।۔،)]+`
const char* BloomWords(const char* p, const char* end);

// --- stages_words.cc ---

/// ` ?[^ \n]*|\n+`; takes any bytes
const char* SpacedWords(const char* p, const char* end);
/// `\w+|[^\w\s]+|\s+` with the \w of Rust's regular expressions
const char* WordRuns(const char* p, const char* end);

}  // namespace rf::scan
