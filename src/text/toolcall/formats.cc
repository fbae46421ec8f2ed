// The table of formats. Every literal is what the model family's own template prints, or its card documents.
#include <algorithm>
#include <iterator>

#include "text/toolcall/format.h"

namespace rf::toolcall {
namespace {

constexpr Op Token(std::string_view text) {
  return {OpKind::kToken, text};
}
constexpr Op Repeat(std::string_view text) {
  return {OpKind::kRepeat, text};
}
constexpr Op kName{OpKind::kName};
constexpr Op kId{OpKind::kId};
constexpr Op kArguments{OpKind::kArguments};
constexpr Op kComplete{OpKind::kComplete};
constexpr Op kJsonCalls{OpKind::kJsonCalls};

// <tool_call>{"name": …, "arguments": …}</tool_call>
constexpr Op kHermesProgram[] = {kJsonCalls, Token("</tool_call>")};
constexpr Opener kHermes[] = {{"<tool_call>", kHermesProgram}};

constexpr TagSyntax kQwenTags = {.open = "<parameter=",
                                 .key_close = ">",
                                 .value_close = "</parameter>",
                                 .end = "</function>",
                                 .drops_newlines = true};
constexpr Op kQwenCoderProgram[] = {
    Token("<function="),  kName,     Token(">"),           {OpKind::kTagArguments, {}, &kQwenTags},
    Token("</function>"), kComplete, Repeat("<function="), Token("</tool_call>")};
constexpr Opener kQwenCoder[] = {{"<tool_call>", kQwenCoderProgram}};

constexpr TagSyntax kSeedTags = {
    .open = "<parameter=", .key_close = ">", .value_close = "</parameter>", .end = "</function>"};
constexpr Op kSeedProgram[] = {
    Token("<function="),  kName,     Token(">"),           {OpKind::kTagArguments, {}, &kSeedTags},
    Token("</function>"), kComplete, Repeat("<function="), Token("</seed:tool_call>")};
constexpr Opener kSeed[] = {{"<seed:tool_call>", kSeedProgram}};

// Llama 3: a bare JSON object, or <|python_tag|> and JSON, a built-in tool's call or program text.
constexpr Op kOnlyCallsProgram[] = {{OpKind::kOnlyCalls}};
constexpr Op kPythonTagProgram[] = {{OpKind::kPythonTag}};
constexpr Opener kPythonTag[] = {{"<|python_tag|>", kPythonTagProgram}};
constexpr Opener kLlama3[] = {{"<|python_tag|>", kPythonTagProgram},
                              {"{", kOnlyCallsProgram, /*is_taken=*/false, /*only_at_start=*/true}};

constexpr Op kMistralNemoProgram[] = {kJsonCalls};
constexpr Opener kMistralNemo[] = {{"[TOOL_CALLS]", kMistralNemoProgram}};
constexpr Op kMistralArgsProgram[] = {kName, Token("[ARGS]"), kArguments, kComplete};
constexpr Opener kMistralArgs[] = {{"[TOOL_CALLS]", kMistralArgsProgram}};
constexpr Op kMistralIdProgram[] = {kName, Token("[CALL_ID]"), kId, Token("[ARGS]"), kArguments, kComplete};
constexpr Opener kMistralId[] = {{"[TOOL_CALLS]", kMistralIdProgram}};

constexpr Op kFunctionary31Program[] = {kName, Token(">"), kArguments, kComplete, Token("</function>")};
constexpr Opener kFunctionary31[] = {{"<function=", kFunctionary31Program}, {"<|python_tag|>", kPythonTagProgram}};

// functionary v3.2: the prompt ends in >>>, then come "all" or a tool's name, a line break, and text or arguments.
constexpr Op kFunctionary32Program[] = {{OpKind::kRecipientLine}, {OpKind::kArgumentsOrCode, ">>>"}, kComplete};
constexpr Opener kFunctionary32[] = {{.text = ">>>", .program = kFunctionary32Program, .needs_tools = false}};

constexpr Op kCommandR7bProgram[] = {kJsonCalls, Token("<|END_ACTION|>")};
constexpr Opener kCommandR7b[] = {{"<|START_ACTION|>", kCommandR7bProgram}};
constexpr std::string_view kCommandR7bIgnored[] = {"<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>",
                                                   "<|END_TEXT|>"};

constexpr Op kCommandRPlusProgram[] = {Token("```json"), kJsonCalls, Token("```")};
constexpr Opener kCommandRPlus[] = {{.text = "Action:", .program = kCommandRPlusProgram, .at_word_start = true}};

constexpr Op kDeepSeekR1Program[] = {Token("<｜tool▁call▁begin｜>"),
                                     Token("function"),
                                     Token("<｜tool▁sep｜>"),
                                     kName,
                                     Token("```json"),
                                     kArguments,
                                     kComplete,
                                     Token("```"),
                                     Token("<｜tool▁call▁end｜>"),
                                     Repeat("<｜tool▁call▁begin｜>"),
                                     Token("<｜tool▁calls▁end｜>")};
constexpr Opener kDeepSeekR1[] = {{"<｜tool▁calls▁begin｜>", kDeepSeekR1Program}};

constexpr Op kDeepSeekV31Program[] = {Token("<｜tool▁call▁begin｜>"),
                                      kName,
                                      Token("<｜tool▁sep｜>"),
                                      kArguments,
                                      kComplete,
                                      Token("<｜tool▁call▁end｜>"),
                                      Repeat("<｜tool▁call▁begin｜>"),
                                      Token("<｜tool▁calls▁end｜>")};
constexpr Opener kDeepSeekV31[] = {{"<｜tool▁calls▁begin｜>", kDeepSeekV31Program}};

constexpr TagSyntax kDsmlTags = {.open = "<｜DSML｜parameter name=\"",
                                 .key_close = "\"",
                                 .value_close = "</｜DSML｜parameter>",
                                 .end = "</｜DSML｜invoke>",
                                 .has_string_attribute = true};
constexpr Op kDsmlProgram[] = {Token("<｜DSML｜invoke name=\""),
                               kName,
                               Token("\">"),
                               {OpKind::kTagArguments, {}, &kDsmlTags},
                               Token("</｜DSML｜invoke>"),
                               kComplete,
                               Repeat("<｜DSML｜invoke name=\""),
                               Token("</｜DSML｜tool_calls>")};
constexpr Opener kDsml[] = {{"<｜DSML｜tool_calls>", kDsmlProgram}};

constexpr TagSyntax kMiniMaxTags = {
    .open = "<parameter name=\"", .key_close = "\">", .value_close = "</parameter>", .end = "</invoke>"};
constexpr Op kMiniMaxProgram[] = {Token("<invoke name=\""),
                                  kName,
                                  Token("\">"),
                                  {OpKind::kTagArguments, {}, &kMiniMaxTags},
                                  Token("</invoke>"),
                                  kComplete,
                                  Repeat("<invoke name=\""),
                                  Token("</minimax:tool_call>")};
constexpr Opener kMiniMax[] = {{"<minimax:tool_call>", kMiniMaxProgram}};

constexpr TagSyntax kMiniCpmTags = {
    .open = "<param name=\"", .key_close = "\">", .value_close = "</param>", .end = "</function>", .has_cdata = true};
constexpr Op kMiniCpmProgram[] = {
    Token("\""), kName, Token("\">"), {OpKind::kTagArguments, {}, &kMiniCpmTags}, Token("</function>"), kComplete};
constexpr Opener kMiniCpm[] = {{"<function name=", kMiniCpmProgram}};

constexpr TagSyntax kGlmTags = {.open = "<arg_key>",
                                .key_close = "</arg_key>",
                                .value_open = "<arg_value>",
                                .value_close = "</arg_value>",
                                .end = "</tool_call>"};
constexpr Op kGlmProgram[] = {kName, {OpKind::kTagArguments, {}, &kGlmTags}, Token("</tool_call>"), kComplete};
constexpr Opener kGlm[] = {{"<tool_call>", kGlmProgram}};

constexpr TagSyntax kHunyuanTags = {.open = "<arg_key:opensource>",
                                    .key_close = "</arg_key:opensource>",
                                    .value_open = "<arg_value:opensource>",
                                    .value_close = "</arg_value:opensource>",
                                    .end = "</tool_call:opensource>"};
constexpr Op kHunyuanProgram[] = {Token("<tool_call:opensource>"),  kName,
                                  Token("<tool_sep:opensource>"),   {OpKind::kTagArguments, {}, &kHunyuanTags},
                                  Token("</tool_call:opensource>"), kComplete,
                                  Repeat("<tool_call:opensource>"), Token("</tool_calls:opensource>")};
constexpr Opener kHunyuan[] = {{"<tool_calls:opensource>", kHunyuanProgram}};

constexpr Op kKimiProgram[] = {Token("<|tool_call_begin|>"),
                               {OpKind::kNameInId},
                               Token("<|tool_call_argument_begin|>"),
                               kArguments,
                               kComplete,
                               Token("<|tool_call_end|>"),
                               Repeat("<|tool_call_begin|>"),
                               Token("<|tool_calls_section_end|>")};
constexpr Opener kKimi[] = {{"<|tool_calls_section_begin|>", kKimiProgram}};

constexpr Op kLfm2Program[] = {{OpKind::kPythonCalls}, Token("<|tool_call_end|>")};
constexpr Opener kLfm2[] = {{"<|tool_call_start|>", kLfm2Program}};

constexpr Opener kGranite[] = {{"<|tool_call|>", kMistralNemoProgram}};
constexpr Op kNemotronProgram[] = {kJsonCalls, Token("</TOOLCALL>")};
constexpr Opener kNemotron[] = {{"<TOOLCALL>", kNemotronProgram}};
constexpr Opener kFireFunction[] = {{.text = "functools", .program = kMistralNemoProgram, .at_word_start = true}};
constexpr Op kAprielProgram[] = {kJsonCalls, Token("</tool_calls>")};
constexpr Opener kApriel[] = {{"<tool_calls>", kAprielProgram}};
constexpr std::string_view kAprielIgnored[] = {"[BEGIN FINAL RESPONSE]"};
constexpr Op kApertusProgram[] = {{OpKind::kNameKeyCalls}, Token("<|tools_suffix|>")};
constexpr Opener kApertus[] = {{"<|tools_prefix|>", kApertusProgram}};

constexpr Op kGemma4Program[] = {Token("call:"), kName, {OpKind::kGemmaArguments}, kComplete, Token("<tool_call|>")};
constexpr Opener kGemma4[] = {{"<|tool_call>", kGemma4Program}};

constexpr Op kSolarProgram[] = {Token("<|tool_call:begin|>"),
                                kId,
                                Token("<|tool_call:name|>"),
                                kName,
                                Token("<|tool_call:args|>"),
                                kArguments,
                                kComplete,
                                Token("<|tool_call:end|>"),
                                Repeat("<|tool_call:begin|>"),
                                Token("<|calls|>")};
constexpr Opener kSolar[] = {{"<|tool_calls|>", kSolarProgram}};
constexpr std::string_view kSolarIgnored[] = {"<|begin|>assistant", "<|content|>", "<|end|>"};

constexpr Op kHarmonyProgram[] = {
    {OpKind::kHarmony}, {OpKind::kArgumentsOrCode, "<|call|>"}, kComplete, Token("<|call|>")};
constexpr Opener kHarmony[] = {
    {.text = "<|start|>", .program = kHarmonyProgram, .is_taken = false, .needs_tools = false},
    {.text = "<|channel|>", .program = kHarmonyProgram, .is_taken = false, .needs_tools = false}};
constexpr std::string_view kHarmonyIgnored[] = {"<|end|>", "<|return|>", "<|call|>"};

constexpr Op kGigaChatProgram[] = {Token("function"), Token("call"), Token("<|role_sep|>"), kJsonCalls};
constexpr Opener kGigaChat[] = {{"<|message_sep|>", kGigaChatProgram}};

constexpr Op kGenericProgram[] = {{OpKind::kWrappedCalls}};
constexpr Opener kGeneric[] = {{"{", kGenericProgram, /*is_taken=*/false, /*only_at_start=*/true}};

constexpr ToolFormat kFormats[] = {
    {.name = "hermes", .openers = kHermes},
    {.name = "qwen3-coder-xml", .openers = kQwenCoder},
    {.name = "glm-4.5", .openers = kGlm},
    {.name = "mistral-nemo", .openers = kMistralNemo},
    {.name = "mistral-args", .reasoning = {"[THINK]", "[/THINK]"}, .openers = kMistralArgs},
    {.name = "mistral-callid-args", .reasoning = {"[THINK]", "[/THINK]"}, .openers = kMistralId},
    {.name = "functionary-v3.1", .openers = kFunctionary31},
    {.name = "functionary-v3.2", .openers = kFunctionary32, .start = kFunctionary32Program, .prompt_end = ">>>"},
    {.name = "command-r7b",
     .reasoning = {"<|START_THINKING|>", "<|END_THINKING|>"},
     .openers = kCommandR7b,
     .ignored = kCommandR7bIgnored},
    {.name = "command-r-plus", .openers = kCommandRPlus},
    {.name = "deepseek-r1", .openers = kDeepSeekR1},
    {.name = "deepseek-v3.1", .openers = kDeepSeekV31},
    {.name = "deepseek-v4-dsml", .openers = kDsml},
    {.name = "minimax-m2", .openers = kMiniMax},
    {.name = "kimi-k2", .openers = kKimi},
    {.name = "lfm2", .openers = kLfm2, .description = "List of tools: "},
    {.name = "granite-3.3", .openers = kGranite},
    {.name = "nemotron-nano-v2", .openers = kNemotron},
    {.name = "seed-oss", .reasoning = {"<seed:think>", "</seed:think>"}, .openers = kSeed},
    {.name = "apertus", .reasoning = {"<|inner_prefix|>", "<|inner_suffix|>"}, .openers = kApertus},
    {.name = "gemma-4", .reasoning = {"<|channel>thought", "<channel|>"}, .openers = kGemma4},
    {.name = "firefunction-v2", .openers = kFireFunction},
    {.name = "apriel",
     .reasoning = {"Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"},
     .openers = kApriel,
     .ignored = kAprielIgnored},
    {.name = "hunyuan-hy3", .reasoning = {"<think:opensource>", "</think:opensource>"}, .openers = kHunyuan},
    {.name = "minicpm5-xml", .openers = kMiniCpm},
    {.name = "solar-open", .reasoning = {"<|think|>", "<|end|>"}, .openers = kSolar, .ignored = kSolarIgnored},
    {.name = "gpt-oss",
     .reasoning = {"", "<|end|>"},
     .openers = kHarmony,
     .ignored = kHarmonyIgnored,
     .start = kHarmonyProgram,
     .prompt_end = "<|start|>assistant"},
    {.name = "gigachat-3", .openers = kGigaChat},
    {.name = "llama3-json", .openers = kLlama3},
    {.name = "llama3-python-tag", .openers = kPythonTag},
    {.name = "generic-json", .openers = kGeneric},
};

}  // namespace

std::span<const ToolFormat> AllFormats() {
  return kFormats;
}

const ToolFormat* FindFormat(std::string_view name) {
  const auto* found = std::find_if(std::begin(kFormats), std::end(kFormats),
                                   [name](const ToolFormat& format) { return format.name == name; });
  return found == std::end(kFormats) ? nullptr : found;
}

}  // namespace rf::toolcall
