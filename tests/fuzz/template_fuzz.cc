// Parses the input as a chat template and renders it, strictly and leniently. Limits are smaller than the real ones, so
// that one run stays short.
#include <cstddef>
#include <cstdint>
#include <string>

#include "text/template/chat.h"
#include "text/template/template.h"

namespace {

const nlohmann::ordered_json& Context() {
  static const auto* const context = new nlohmann::ordered_json(nlohmann::ordered_json::parse(R"({
    "messages": [
      {"role": "system", "content": "Be brief."},
      {"role": "user", "content": [{"type": "text", "text": "a ü 中 😀\n"}]},
      {"role": "assistant", "content": null, "reasoning_content": "hm",
       "tool_calls": [{"id": "call00001", "type": "function",
                       "function": {"name": "f", "arguments": {"x": 1, "y": [true, null, 1.5, "z"]}}}]},
      {"role": "tool", "content": "{\"r\": 1}", "tool_call_id": "call00001"}],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}],
    "documents": null, "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>",
    "x": 3, "s": "a,b c", "d": {"a": 1, "b": {"c": [1, 2, 3]}}, "xs": [3, 1, 2], "n": null, "f": -0.5})"));
  return *context;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rf::RenderOptions options;
  options.limits.max_source_bytes = 1 << 16;
  options.limits.max_output_bytes = 1 << 16;
  options.limits.max_steps = 20'000;
  options.limits.max_memory_bytes = 1 << 20;
  options.now = std::chrono::sys_seconds(std::chrono::seconds(1'768'478'400));
  const std::string source(reinterpret_cast<const char*>(data), size);
  const auto parsed = rf::Template::Parse(source, options.limits);
  if (!parsed) return 0;
  for (const bool lenient : {false, true}) {
    options.lenient = lenient;
    const auto text = parsed->Render(Context(), options);
    if (text && text->size() > options.limits.max_output_bytes) __builtin_trap();
  }
  if (size % 4 == 0) rf::ProbeChatTemplate(*parsed, options.limits);
  return 0;
}
