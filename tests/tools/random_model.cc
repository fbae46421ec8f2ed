// Writes a llama model of any size with random weights, to measure speed with: nothing large need be fetched.
//   rf_random_model OUT.gguf SIZE MIX     SIZE: mini, tiny, 1b, 8b; MIX: f16, q8_0, q4_0, q4_k_m, ...: a format, or
//   q4_k_m's mixture
// The blocks are valid and of sensible magnitude; layers repeat the same ones. What such a model writes means nothing.
#include <strings.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "conformance/random.h"
#include "gguf/writer.h"

namespace rf {
namespace {

struct Size {
  const char* name;
  int64_t n_layers, d_model, n_heads, n_kv_heads, head_dim, d_ff, n_vocab;
};

// The shapes of TinyLlama 1.1B with Llama 3's vocabulary cut to a quarter, and of Llama 3.1 8B.
constexpr Size kSizes[] = {{"mini", 1, 256, 4, 1, 64, 256, 512},
                           {"tiny", 2, 512, 8, 2, 64, 1024, 2048},
                           {"1b", 22, 2048, 32, 4, 64, 5632, 32000},
                           {"8b", 32, 4096, 32, 8, 128, 14336, 128256}};

std::optional<Format> FormatNamed(const char* name) {
  for (int i = 0; i < kNumFormats; ++i) {
    const auto format = static_cast<Format>(i);
    if (strcasecmp(std::string(GetFormatInfo(format).name).c_str(), name) == 0) return format;
  }
  return std::nullopt;
}

/// Which format a tensor has.
struct Mix {
  Format most;
  Format some;  ///< V and the second half of the feed-forward in half of the layers, and the output
  Format Of(std::string_view tensor, int64_t layer, int64_t n_layers) const {
    if (tensor == "output") return some;
    const bool is_sensitive = tensor == "attn_v" || tensor == "ffn_down";
    const bool has_more = layer < n_layers / 8 || layer >= 7 * n_layers / 8 || (layer - n_layers / 8) % 3 == 2;
    return is_sensitive && has_more ? some : most;
  }
};

class Writer {
 public:
  Writer(const Size& size, const Mix& mix) : size_(size), mix_(mix) {}

  Status Write(const std::string& path) {
    AddKeys();
    AddVocabulary();
    AddTensors();
    for (GgufTensorSource& tensor : contents_.tensors) tensor.bytes = BytesFor(tensor);
    return WriteGguf(contents_, path);
  }

 private:
  void AddKeys() {
    GgufMetadata& keys = contents_.metadata;
    const auto u32 = [&](const char* key, int64_t value) {
      keys.Add(key, GgufValue::Scalar(static_cast<uint32_t>(value)));
    };
    keys.Add("general.architecture", GgufValue::String("llama"));
    keys.Add("general.name", GgufValue::String(fmt::format("Random {}", size_.name)));
    u32("llama.block_count", size_.n_layers);
    u32("llama.context_length", 32768);
    u32("llama.embedding_length", size_.d_model);
    u32("llama.feed_forward_length", size_.d_ff);
    u32("llama.attention.head_count", size_.n_heads);
    u32("llama.attention.head_count_kv", size_.n_kv_heads);
    u32("llama.rope.dimension_count", size_.head_dim);
    u32("llama.vocab_size", size_.n_vocab);
    keys.Add("llama.rope.freq_base", GgufValue::Scalar(500000.0f));
    keys.Add("llama.attention.layer_norm_rms_epsilon", GgufValue::Scalar(1e-5f));
  }

  // A SentencePiece-style vocabulary: control tokens, bytes, numbered words.
  void AddVocabulary() {
    std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
    std::vector<int32_t> types = {2, 3, 3};
    for (int byte = 0; byte < 256; ++byte) {
      tokens.push_back(fmt::format("<0x{:02X}>", byte));
      types.push_back(6);
    }
    while (static_cast<int64_t>(tokens.size()) < size_.n_vocab)
      tokens.push_back(fmt::format("\u2581w{}", tokens.size()));
    types.resize(tokens.size(), 1);
    std::vector<float> scores;
    for (size_t i = 0; i < tokens.size(); ++i) scores.push_back(-static_cast<float>(i));
    GgufMetadata& keys = contents_.metadata;
    keys.Add("tokenizer.ggml.model", GgufValue::String("llama"));
    keys.Add("tokenizer.ggml.tokens", GgufValue::Strings(tokens));
    keys.Add("tokenizer.ggml.scores", GgufValue::Array(scores));
    keys.Add("tokenizer.ggml.token_type", GgufValue::Array(types));
    keys.Add("tokenizer.ggml.unknown_token_id", GgufValue::Scalar<uint32_t>(0));
    keys.Add("tokenizer.ggml.bos_token_id", GgufValue::Scalar<uint32_t>(1));
    keys.Add("tokenizer.ggml.eos_token_id", GgufValue::Scalar<uint32_t>(2));
  }

  void AddTensors() {
    const auto add = [&](std::string name, Format format, std::vector<int64_t> shape) {
      contents_.tensors.push_back(GgufTensorSource{std::move(name), format, std::move(shape), {}});
    };
    const int64_t q_dim = size_.n_heads * size_.head_dim;
    const int64_t kv_dim = size_.n_kv_heads * size_.head_dim;
    add("token_embd.weight", mix_.most, {size_.n_vocab, size_.d_model});
    for (int64_t layer = 0; layer < size_.n_layers; ++layer) {
      const auto product = [&](const char* name, int64_t n_rows, int64_t n_cols) {
        add(fmt::format("blk.{}.{}.weight", layer, name), mix_.Of(name, layer, size_.n_layers), {n_rows, n_cols});
      };
      add(fmt::format("blk.{}.attn_norm.weight", layer), Format::kF32, {size_.d_model});
      product("attn_q", q_dim, size_.d_model);
      product("attn_k", kv_dim, size_.d_model);
      product("attn_v", kv_dim, size_.d_model);
      product("attn_output", size_.d_model, q_dim);
      add(fmt::format("blk.{}.ffn_norm.weight", layer), Format::kF32, {size_.d_model});
      product("ffn_gate", size_.d_ff, size_.d_model);
      product("ffn_up", size_.d_ff, size_.d_model);
      product("ffn_down", size_.d_model, size_.d_ff);
    }
    add("output_norm.weight", Format::kF32, {size_.d_model});
    add("output.weight", mix_.Of("output", 0, size_.n_layers), {size_.n_vocab, size_.d_model});
  }

  // Tensors of one format share their bytes: as many as the largest needs, 4,096 random blocks in random order.
  std::span<const std::byte> BytesFor(const GgufTensorSource& tensor) {
    const size_t needed = BytesOf(tensor);
    std::vector<std::byte>& bytes = bytes_[tensor.format];
    if (bytes.empty()) {
      size_t largest = 0;
      for (const GgufTensorSource& other : contents_.tensors) {
        if (other.format == tensor.format) largest = std::max(largest, BytesOf(other));
      }
      bytes.resize(largest);
      Fill(tensor.format, bytes);
    }
    return std::span(bytes).first(needed);
  }

  static size_t BytesOf(const GgufTensorSource& tensor) {
    const int64_t n_rows = tensor.shape.size() > 1 ? tensor.shape[0] : 1;
    return static_cast<size_t>(n_rows * RowBytes(GetFormatInfo(tensor.format), tensor.shape.back()));
  }

  void Fill(Format format, std::vector<std::byte>& bytes) {
    constexpr int32_t kPool = 4096;
    const FormatInfo& info = GetFormatInfo(format);
    const auto block_bytes = static_cast<size_t>(info.block_bytes);
    const std::vector<uint8_t> pool = random_.Weight(format, 1, 1, int64_t{kPool} * info.block_elements).bytes;
    for (size_t at = 0; at < bytes.size(); at += block_bytes) {
      std::memcpy(&bytes[at], &pool[static_cast<size_t>(random_.Below(kPool)) * block_bytes], block_bytes);
    }
  }

  const Size& size_;
  const Mix mix_;
  conformance::Random random_{"random_model"};
  GgufContents contents_;
  std::map<Format, std::vector<std::byte>> bytes_;
};

int Main(int argc, char** argv) {
  const auto* size = argc == 4 ? std::find_if(std::begin(kSizes), std::end(kSizes),
                                              [&](const Size& it) { return strcmp(it.name, argv[2]) == 0; })
                               : std::end(kSizes);
  std::optional<Mix> mix;
  if (argc == 4 && strcasecmp(argv[3], "q4_k_m") == 0) {
    mix = Mix{Format::kQ4_K, Format::kQ6_K};
  } else if (const auto format = argc == 4 ? FormatNamed(argv[3]) : std::nullopt) {
    mix = Mix{*format, *format};
  }
  if (size == std::end(kSizes) || !mix) {
    fprintf(stderr, "usage: %s OUT.gguf tiny|1b|8b q4_k_m|FORMAT\n", argv[0]);
    return 2;
  }
  const Status written = Writer(*size, *mix).Write(argv[1]);
  if (!written) fprintf(stderr, "%s\n", written.error().ToString().c_str());
  return written ? 0 : 1;
}

}  // namespace
}  // namespace rf

int main(int argc, char** argv) {
  return rf::Main(argc, argv);
}
