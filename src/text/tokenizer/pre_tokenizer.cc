#include "text/tokenizer/pre_tokenizer.h"

#include "text/tokenizer/stages.h"

namespace rf {
namespace {

using namespace scan;  // NOLINT(google-build-using-namespace)

constexpr Stage kGpt2[] = {Gpt2};
constexpr Stage kDigitsGpt2[] = {SingleDigit, Gpt2};
constexpr Stage kDefault[] = {DefaultPunctuation, Gpt2, DigitRun, ThreeAsciiDigits};
constexpr Stage kFalcon[] = {FalconPunctuation, Gpt2, ThreeAsciiDigits};
constexpr Stage kLlama3[] = {Llama3};
constexpr Stage kQwen2[] = {Qwen2};
constexpr Stage kQwen35[] = {Qwen35};
constexpr Stage kNoContractions[] = {NoContractions};
constexpr Stage kSeedCoder[] = {SeedCoder};
constexpr Stage kMiniCpm5[] = {UpToThreeDigits, ManyDigits};
constexpr Stage kTekken[] = {Tekken};
constexpr Stage kGpt4o[] = {Gpt4o};
constexpr Stage kDeepSeekLlm[] = {SingleNewline, SpaceListedLetters, SpaceListedPunctuation,
                                  SpacesAtEnd,   EastAsian,          DigitRun};
constexpr Stage kDeepSeekCoder[] = {SingleNewline, SpaceLetters, SpacePunctuation, EastAsian, SingleDigit};
constexpr Stage kDeepSeekV3[] = {UpToThreeDigits, HanAndKana, DeepSeekV3};
constexpr Stage kSpark25[] = {UpToThreeDigits, HanAndKana, Spark25, SingleDigit};
constexpr Stage kYoutu[] = {YoutuEastAsian, Gpt4oSingleDigits};
constexpr Stage kAfmoe[] = {DigitRun, LeadingNumbers, UpToThreeDigits, AfmoeAsian, DeepSeekV3};
constexpr Stage kJais2[] = {Llama3, SpacePowers};
constexpr Stage kExaoneMoe[] = {ExaoneMoe};
constexpr Stage kChameleon[] = {ChameleonSentinel, ChameleonImage,    ChameleonSpaces,
                                SingleDigit,       SinglePunctuation, Gpt2};
constexpr Stage kTinyAya[] = {DigitsBeforeBoundary, LeadingDigitsAtEnd, DigitTriplesAtEnd, Gpt4o};
constexpr Stage kSuperBpe[] = {DigitRun, LeadingDigits, DigitTriples};
constexpr Stage kKimiK2[] = {KimiK2};
constexpr Stage kLaguna[] = {NewlineRun, Qwen2};
constexpr Stage kBloom[] = {BloomWords};
constexpr Stage kViking[] = {BloomWords, SingleDigit};
constexpr Stage kSpacedWords[] = {SpacedWords};
constexpr Stage kWordRuns[] = {WordRuns};

constexpr PreTokenizer kPreTokenizers[] = {
    {.name = "default", .stages = kDefault, .clean_spaces = true},
    // GPT-2 and those who took its expression over
    {.name = "gpt-2", .stages = kGpt2, .clean_spaces = true},
    {.name = "phi-2", .stages = kGpt2, .clean_spaces = true},
    {.name = "mpt", .stages = kGpt2, .clean_spaces = true},
    {.name = "olmo", .stages = kGpt2, .clean_spaces = true},
    {.name = "jais", .stages = kGpt2, .clean_spaces = true},
    {.name = "gigachat", .stages = kGpt2, .clean_spaces = true},
    {.name = "a.x-4.0", .stages = kGpt2, .clean_spaces = true},
    {.name = "mellum", .stages = kGpt2, .clean_spaces = true},
    {.name = "exaone4", .stages = kGpt2, .clean_spaces = true},
    {.name = "jina-es", .stages = kGpt2, .clean_spaces = true},
    {.name = "jina-de", .stages = kGpt2, .clean_spaces = true},
    {.name = "jina-v2-es", .stages = kGpt2, .clean_spaces = true},
    {.name = "jina-v2-de", .stages = kGpt2, .clean_spaces = true},
    {.name = "jina-v1-en", .stages = kGpt2, .clean_spaces = true},
    {.name = "jina-v2-code", .stages = kGpt2, .clean_spaces = true},
    {.name = "roberta-bpe", .stages = kGpt2, .clean_spaces = true},
    {.name = "modern-bert", .stages = kGpt2, .clean_spaces = true},
    {.name = "trillion", .stages = kGpt2},
    {.name = "granite-docling", .stages = kGpt2},
    // the same behind a split at every digit
    {.name = "smollm", .stages = kDigitsGpt2},
    {.name = "starcoder", .stages = kDigitsGpt2, .clean_spaces = true},
    {.name = "refact", .stages = kDigitsGpt2, .clean_spaces = true},
    {.name = "command-r", .stages = kDigitsGpt2},
    {.name = "codeshell", .stages = kDigitsGpt2, .clean_spaces = true},
    {.name = "exaone", .stages = kDigitsGpt2, .clean_spaces = true},
    {.name = "minerva-7b", .stages = kDigitsGpt2, .clean_spaces = true},
    {.name = "mellum2", .stages = kDigitsGpt2, .clean_spaces = true},
    {.name = "falcon", .stages = kFalcon, .clean_spaces = true},
    // cl100k and Llama 3: up to three digits
    {.name = "llama3", .stages = kLlama3, .ignore_merges = true, .add_bos = true, .clean_spaces = true},
    {.name = "llama-v3", .stages = kLlama3, .ignore_merges = true, .add_bos = true, .clean_spaces = true},
    {.name = "llama-bpe", .stages = kLlama3, .ignore_merges = true, .add_bos = true, .clean_spaces = true},
    {.name = "falcon3", .stages = kLlama3, .ignore_merges = true, .add_bos = true, .clean_spaces = true},
    {.name = "falcon-h1", .stages = kLlama3, .ignore_merges = true, .add_bos = true, .clean_spaces = true},
    {.name = "pixtral", .stages = kLlama3, .ignore_merges = true, .add_bos = true, .clean_spaces = true},
    {.name = "midm-2.0", .stages = kLlama3, .ignore_merges = true, .add_bos = true, .clean_spaces = true},
    {.name = "lfm2", .stages = kLlama3, .ignore_merges = true, .add_bos = true, .clean_spaces = true},
    {.name = "jina-v5-nano", .stages = kLlama3, .ignore_merges = true, .add_bos = true, .clean_spaces = true},
    {.name = "jais-2", .stages = kJais2, .clean_spaces = true},
    {.name = "dbrx", .stages = kLlama3, .clean_spaces = true},
    {.name = "smaug-bpe", .stages = kLlama3, .clean_spaces = true},
    {.name = "glm4", .stages = kLlama3, .ignore_merges = true, .clean_spaces = true},
    {.name = "glm5", .stages = kLlama3, .ignore_merges = true, .clean_spaces = true},
    // llama.cpp does not ignore the merges here, but the published tokenizer is tiktoken's, which does.
    {.name = "chatglm-bpe", .stages = kLlama3, .ignore_merges = true, .clean_spaces = true},
    {.name = "minicpm5", .stages = kMiniCpm5, .ignore_merges = true, .clean_spaces = true},
    // Qwen: single digits
    {.name = "qwen2", .stages = kQwen2, .nfc = true},
    {.name = "qwen35", .stages = kQwen35, .nfc = true},
    {.name = "deepseek-r1-qwen", .stages = kQwen2},
    {.name = "kormo", .stages = kQwen2},
    {.name = "f2llmv2", .stages = kQwen2, .nfc = true},
    {.name = "laguna", .stages = kLaguna},
    {.name = "exaone-moe", .stages = kExaoneMoe, .clean_spaces = true},
    {.name = "megrez", .stages = kQwen2, .clean_spaces = true},
    {.name = "stablelm2", .stages = kQwen2, .clean_spaces = true},
    {.name = "hunyuan", .stages = kQwen2},
    {.name = "solar-open", .stages = kQwen2},
    {.name = "grok-2", .stages = kQwen2},
    {.name = "bailingmoe", .stages = kQwen2},
    {.name = "bailingmoe2", .stages = kQwen2},
    {.name = "llada-moe", .stages = kQwen2},
    {.name = "seed-coder", .stages = kSeedCoder},
    {.name = "ufakzeka", .stages = kNoContractions},
    // o200k and Mistral's Tekken: words end where small letters are followed by a capital
    {.name = "tekken", .stages = kTekken, .ignore_merges = true, .add_bos = true},
    {.name = "gpt-4o", .stages = kGpt4o},
    {.name = "llama4", .stages = kGpt4o},
    {.name = "kanana2", .stages = kGpt4o},
    {.name = "minimax-m2", .stages = kGpt4o},
    {.name = "talkie", .stages = kGpt4o},
    {.name = "granite-embed-multi-97m", .stages = kGpt4o, .ignore_merges = true},
    {.name = "tiny_aya", .stages = kTinyAya},
    {.name = "cohere2moe", .stages = kTinyAya},
    {.name = "youtu", .stages = kYoutu, .ignore_merges = true},
    {.name = "kimi-k2", .stages = kKimiK2},
    // DeepSeek
    {.name = "deepseek-llm", .stages = kDeepSeekLlm},
    {.name = "deepseek-coder", .stages = kDeepSeekCoder},
    {.name = "deepseek-v3", .stages = kDeepSeekV3},
    {.name = "hunyuan-dense", .stages = kDeepSeekV3},
    {.name = "joyai-llm", .stages = kDeepSeekV3},
    {.name = "hy_v4", .stages = kDeepSeekV3},
    {.name = "spark2_5", .stages = kSpark25},
    {.name = "afmoe", .stages = kAfmoe},
    // of their own
    {.name = "superbpe", .stages = kSuperBpe},
    {.name = "chameleon", .stages = kChameleon, .add_bos = true},
    // BLOOM
    {.name = "bloom", .stages = kBloom, .clean_spaces = true},
    {.name = "gpt3-finnish", .stages = kBloom, .clean_spaces = true},
    {.name = "poro-chat", .stages = kBloom},
    {.name = "viking", .stages = kViking},
    // over raw text; llama.cpp cleans spaces in most of these, the published tokenizers do not
    {.name = "gemma4", .symbols = BpeSymbols::kText, .add_bos = true},
    {.name = "granite-embed-multi-311m", .symbols = BpeSymbols::kText, .add_bos = true},
    {.name = "sarvam-moe", .symbols = BpeSymbols::kText},
    {.name = "mmbert", .stages = kSpacedWords, .symbols = BpeSymbols::kSpacedWords},
    {.name = "whitespace", .stages = kWordRuns, .symbols = BpeSymbols::kWords},
};

}  // namespace

const PreTokenizer* FindPreTokenizer(std::string_view name) {
  for (const PreTokenizer& row : kPreTokenizers) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::string PreTokenizerNames() {
  std::string names;
  for (const PreTokenizer& row : kPreTokenizers) {
    if (!names.empty()) names += ", ";
    names += row.name;
  }
  return names;
}

}  // namespace rf
