// Reads `<architecture>.*` keys of a file and holds each against the range that makes sense for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gguf/metadata.h"

namespace rf {

/// Errors of all members: kCorruptFile that names the key, its value and what is accepted.
class KeyReader {
 public:
  /// `metadata` must outlive the reader.
  KeyReader(const GgufMetadata& metadata, std::string_view architecture) : metadata_(metadata), prefix_(architecture) {}

  std::string Key(std::string_view name) const;
  bool Has(std::string_view name) const { return metadata_.Has(Key(name)); }

  /// Both ends are accepted. REQUIRES: max fits int32_t.
  struct IntRange {
    int64_t min;
    int64_t max;
  };
  Result<int32_t> Int(std::string_view name, IntRange range) const;
  /// As above; `fallback` if the key is absent.
  Result<int32_t> Int(std::string_view name, IntRange range, int32_t fallback) const;

  /// As Int for keys that may be arrays with one entry for each of n_layers layers: accepted when all are equal.
  Result<int32_t> IntOfLayers(std::string_view name, IntRange range, int32_t n_layers) const;
  Result<int32_t> IntOfLayers(std::string_view name, IntRange range, int32_t n_layers, int32_t fallback) const;

  /// One number (every n-th layer differs) or an array of n_layers booleans; nothing if the key is absent.
  struct LayerPattern {
    int32_t period = 0;
    std::vector<bool> flags;  ///< empty if `period` was given
  };
  Result<std::optional<LayerPattern>> Pattern(std::string_view name, int32_t n_layers) const;

  /// Finite, more than `above`, at most `max`.
  struct FloatRange {
    float above = 0.0f;
    float max = 1e6f;
  };
  Result<float> Float(std::string_view name, FloatRange range) const;
  Result<float> Float(std::string_view name, FloatRange range, float fallback) const;
  /// As Float with {0, max}, but 0 and absence both mean that the thing is off.
  Result<float> FloatOrOff(std::string_view name, float max) const;

  Result<std::optional<std::string_view>> String(std::string_view name) const {
    return metadata_.FindString(Key(name));
  }

  /// "key 'llama.block_count' <problem>".
  Error ErrorAt(std::string_view name, std::string_view problem) const;

 private:
  Result<int32_t> Element(std::string_view name, IntRange range, const GgufValue& value, size_t i) const;

  const GgufMetadata& metadata_;
  std::string prefix_;
};

}  // namespace rf
