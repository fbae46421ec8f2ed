// The format of calls, found for 48 published templates (in the golden data, if there). The table was made by reading
// the templates.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "golden_files.h"
#include "text/toolcall/detect.h"

namespace rf {
namespace {

struct Expected {
  const char* file;
  const char* format;
  const char* reasoning = "<think>";
};

// Those with "generic-json" print neither tools nor calls; the tags of reasoning are the usual ones where the template
// prints none.
constexpr Expected kTemplates[] = {
    {"Apertus-8B-Instruct", "apertus", "<|inner_prefix|>"},
    {"Apriel-1.6-15b-Thinker-fixed", "apriel", "Here are my reasoning steps:"},
    {"Bielik-11B-v3.0-Instruct", "hermes"},
    {"ByteDance-Seed-OSS", "seed-oss", "<seed:think>"},
    {"CohereForAI-c4ai-command-r-plus-tool_use", "command-r-plus"},
    {"CohereForAI-c4ai-command-r7b-12-2024-tool_use", "command-r7b", "<|START_THINKING|>"},
    {"GLM-4.6", "glm-4.5"},
    {"GigaChat3-10B-A1.8B", "gigachat-3"},
    {"HuggingFaceTB-SmolLM2-135M-Instruct", "generic-json"},
    {"HuggingFaceTB-SmolLM3-3B", "generic-json"},
    {"Kimi-K2-Thinking", "kimi-k2"},
    {"LFM2-8B-A1B", "lfm2"},
    {"LFM2.5-Instruct", "lfm2"},
    {"MiMo-VL", "hermes"},
    {"MiniMax-M2", "minimax-m2"},
    {"Mistral-Small-3.2-24B-Instruct-2506", "mistral-callid-args", "[THINK]"},
    {"NVIDIA-Nemotron-Nano-v2", "nemotron-nano-v2"},
    {"NousResearch-Hermes-3-Llama-3.1-8B-tool_use", "hermes"},
    {"Qwen-QwQ-32B", "hermes"},
    {"Qwen-Qwen2.5-7B-Instruct", "hermes"},
    {"Qwen-Qwen3-0.6B", "hermes"},
    {"Qwen3-Coder", "qwen3-coder-xml"},
    {"Reka-Edge", "hermes"},
    {"StepFun3.5-Flash", "qwen3-coder-xml"},
    {"deepseek-ai-DeepSeek-R1-Distill-Llama-8B", "deepseek-r1"},
    {"deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", "deepseek-r1"},
    {"deepseek-ai-DeepSeek-V3.1", "deepseek-v3.1"},
    {"deepseek-ai-DeepSeek-V4", "deepseek-v4-dsml"},
    {"fireworks-ai-llama-3-firefunction-v2", "firefunction-v2"},
    {"google-gemma-2-2b-it", "generic-json"},
    {"google-gemma-4-31B-it", "gemma-4", "<|channel>thought"},
    {"ibm-granite-granite-3.3-2B-Instruct", "granite-3.3"},
    {"ibm-granite-granite-4.0", "hermes"},
    {"llama-cpp-deepseek-r1", "deepseek-r1"},
    {"llama-cpp-rwkv-world", "generic-json"},
    {"meetkai-functionary-medium-v3.1", "functionary-v3.1"},
    {"meetkai-functionary-medium-v3.2", "functionary-v3.2"},
    {"meta-llama-Llama-3.1-8B-Instruct", "llama3-json"},
    {"microsoft-Phi-3.5-mini-instruct", "generic-json"},
    {"mistralai-Ministral-3-14B-Reasoning-2512", "mistral-args", "[THINK]"},
    {"mistralai-Mistral-Nemo-Instruct-2407", "mistral-nemo"},
    {"moonshotai-Kimi-K2", "kimi-k2"},
    {"openai-gpt-oss-120b", "gpt-oss", ""},
    {"openbmb-MiniCPM5-1B", "minicpm5-xml"},
    {"poolside-Laguna-S-2.1", "glm-4.5"},
    {"poolside-Laguna-XS-2.1", "glm-4.5"},
    {"tencent-Hy3", "hunyuan-hy3", "<think:opensource>"},
    {"upstage-Solar-Open-100B", "solar-open", "<|think|>"},
};

TEST(ToolCallDetectTest, PublishedTemplates) {
  if (!std::filesystem::exists(golden::TemplateFolder()))
    GTEST_SKIP() << "no golden data at " << golden::TemplateFolder();
  static_assert(std::size(kTemplates) == 48);
  size_t n_good = 0;
  for (const Expected& expected : kTemplates) {
    const std::string source =
        golden::ReadFile(golden::TemplateFolder() / "jinja" / (std::string(expected.file) + ".jinja"));
    ASSERT_FALSE(source.empty()) << expected.file;
    const auto chat = ChatTemplate::Create(source);
    ASSERT_TRUE(chat) << expected.file;
    const ReplyStyle style = DetectReplyStyle(*chat);
    EXPECT_EQ(style.format->name, expected.format) << expected.file;
    EXPECT_EQ(style.reasoning.open, expected.reasoning) << expected.file;
    EXPECT_EQ(style.needs_instructions, std::string(expected.format) == "generic-json") << expected.file;
    n_good += style.format->name == expected.format ? 1 : 0;
  }
  std::printf("%zu of %zu templates\n", n_good, std::size(kTemplates));
}

}  // namespace
}  // namespace rf
