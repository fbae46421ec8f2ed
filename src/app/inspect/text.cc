// `inspect` for people.
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/inspect/report.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

constexpr double kMb = 1e6;

std::string Row(const char* name, const std::string& text) {
  return fmt::format("{:<14} {}\n", name, text);
}

// 134.5 M, 7.24 B.
std::string ShortCount(int64_t n) {
  if (n >= 1'000'000'000) return fmt::format("{:.2f} B", static_cast<double>(n) / 1e9);
  if (n >= 1'000'000) return fmt::format("{:.1f} M", static_cast<double>(n) / 1e6);
  return fmt::format("{}", n);
}

std::string DescribeFile(const InspectReport& report) {
  const auto shards = report.file->shards();
  std::string text = fmt::format("{} ({:.1f} MB, GGUF version {}", EscapeForMessage(report.path, 200),
                                 static_cast<double>(report.file_bytes) / 1e6, shards[0].version);
  if (shards.size() > 1) text += fmt::format(", {} files", shards.size());
  return text + (report.is_vocabulary() ? ", vocabulary only: no tensors)" : ")");
}

std::string DescribeSizes(const Hyperparameters& h) {
  std::string text = fmt::format("{} layers, d_model {}, d_ff {}, {} heads ({} for keys and values) of {}", h.n_layers,
                                 h.d_model, h.d_ff, h.n_heads, h.n_kv_heads, h.head_dim);
  if (h.n_experts > 0) text += fmt::format(", {} of {} experts at a time", h.n_experts_used, h.n_experts);
  return text;
}

std::string DescribeTypes(const InspectReport& report) {
  std::string text;
  for (const auto& [name, count] : report.types) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
  const double bits = 8.0 * static_cast<double>(report.tensor_bytes) / static_cast<double>(report.n_parameters);
  return fmt::format("{} ({:.2f} bits per weight)", text, bits);
}

std::string DescribeToken(const Tokenizer& tokenizer, const char* name, const std::optional<TokenId>& id) {
  if (!id) return fmt::format("no {}", name);
  return fmt::format("{} {} '{}'", name, *id, EscapeForMessage(tokenizer.Piece(*id, true), 40));
}

std::string DescribeTokenizer(const Tokenizer& tokenizer) {
  const VocabData& vocab = tokenizer.data();
  return fmt::format("{}{}{}, {} tokens, {}, {}{}", EscapeForMessage(vocab.model, 40), vocab.pre.empty() ? "" : " / ",
                     EscapeForMessage(vocab.pre, 40), vocab.tokens.size(), DescribeToken(tokenizer, "BOS", vocab.bos),
                     DescribeToken(tokenizer, "EOS", vocab.eos), tokenizer.adds_bos() ? ", BOS is put in front" : "");
}

std::string DescribeTemplate(const InspectReport& report) {
  if (report.chat_template.empty()) return "none: a base model, or give one with --chat-template-file";
  std::string text = fmt::format("{} bytes", report.chat_template.size());
  if (!report.chat) return text + ", cannot be used";
  if (report.chat->system_role) text += ", system messages";
  if (report.chat->tools) text += ", tools";
  return text;
}

std::string DescribeMemory(const InspectReport& report) {
  if (report.memory.empty()) return "";
  std::string text = fmt::format("\nMemory in MB on {}, one conversation:\n{:>10} {:>10} {:>10} {:>10} {:>10}\n",
                                 report.device, "context", "weights", "KV cache", "scratch", "total");
  for (const ContextMemory& entry : report.memory) {
    const MemoryPlan& plan = entry.plan;
    text += fmt::format("{:>10} {:>10.1f} {:>10.1f} {:>10.1f} {:>10.1f}\n", entry.context,
                        static_cast<double>(plan.weights) / kMb, static_cast<double>(plan.kv_cache) / kMb,
                        static_cast<double>(plan.activations + plan.workspace) / kMb,
                        static_cast<double>(plan.Total()) / kMb);
  }
  const uint64_t mapped = report.memory[0].plan.weights_mapped;
  if (mapped == 0) return text;
  return text + fmt::format("and {:.1f} MB read in place from the mapped file, which the system may drop\n",
                            static_cast<double>(mapped) / kMb);
}

std::string DescribeValue(const GgufValue& value) {
  if (value.is_array()) return fmt::format("{} {}", value.size(), value.TypeName());
  return value.ElementToString(0, 100);
}

std::string DescribeMetadata(const GgufMetadata& metadata) {
  std::string text = "\nMetadata:\n";
  for (const auto& entry : metadata.entries()) {
    text += fmt::format("  {:<40} {}\n", EscapeForMessage(entry.key, 100), DescribeValue(entry.value));
  }
  return text;
}

std::string DescribeTensors(const GgufFile& file) {
  std::string text = "\nTensors:\n";
  for (const GgufTensor& tensor : file.tensors()) {
    text += fmt::format("  {:<40} {:<8} [{}] {} bytes\n", EscapeForMessage(tensor.name, 80),
                        GetFormatInfo(tensor.format).name, fmt::join(tensor.shape, ", "), tensor.n_bytes);
  }
  return text;
}

}  // namespace

std::string Describe(const InspectReport& report, bool with_tensors) {
  std::string text = Row("File", DescribeFile(report));
  const GgufValue* name = report.file->metadata().Find("general.name");
  if (name != nullptr) text += Row("Name", DescribeValue(*name));
  text += Row("Architecture", report.architecture.empty() ? "not said" : EscapeForMessage(report.architecture, 60));
  if (report.hparams) text += Row("Sizes", DescribeSizes(*report.hparams));
  if (!report.is_vocabulary()) {
    text += Row("Parameters", ShortCount(report.n_parameters));
    text += Row("Types", DescribeTypes(report));
  }
  if (report.hparams) {
    const Hyperparameters& h = *report.hparams;
    text += Row("Context", fmt::format("{} positions{}", h.context_length,
                                       h.window > 0 ? fmt::format(", sliding window of {}", h.window) : ""));
  }
  if (report.tokenizer) text += Row("Tokenizer", DescribeTokenizer(*report.tokenizer));
  text += Row("Chat template", DescribeTemplate(report));
  text += DescribeMemory(report) + DescribeMetadata(report.file->metadata());
  if (with_tensors) text += DescribeTensors(*report.file);
  return text;
}

}  // namespace rf::app
