#include "model/key_reader.h"

#include <cmath>

#include <fmt/format.h>

namespace rf {

std::string KeyReader::Key(std::string_view name) const {
  return fmt::format("{}.{}", prefix_, name);
}

Error KeyReader::ErrorAt(std::string_view name, std::string_view problem) const {
  return metadata_.ErrorAt(Key(name), fmt::format("key '{}' {}", Key(name), problem));
}

Result<int32_t> KeyReader::Element(std::string_view name, IntRange range, const GgufValue& value, size_t i) const {
  const auto number = value.AsI64(i);
  const bool is_large = !number && value.AsU64(i).has_value();  // 2^63 and more
  if (!number && !is_large) return metadata_.WrongType(Key(name), "u32");
  if (!is_large && *number >= range.min && *number <= range.max) return static_cast<int32_t>(*number);
  const std::string index = value.is_array() ? fmt::format("[{}]", i) : "";
  return metadata_.ErrorAt(Key(name), fmt::format("key '{}'{} is {}, must be {} to {}", Key(name), index,
                                                  value.ElementToString(i), range.min, range.max));
}

Result<int32_t> KeyReader::Int(std::string_view name, IntRange range) const {
  const GgufValue* value = metadata_.Find(Key(name));
  if (value == nullptr) return metadata_.MissingKey(Key(name));
  if (value->is_array()) return metadata_.WrongType(Key(name), "u32");
  return Element(name, range, *value, 0);
}

Result<int32_t> KeyReader::Int(std::string_view name, IntRange range, int32_t fallback) const {
  if (!Has(name)) return fallback;
  return Int(name, range);
}

Result<int32_t> KeyReader::IntOfLayers(std::string_view name, IntRange range, int32_t n_layers) const {
  const GgufValue* value = metadata_.Find(Key(name));
  if (value == nullptr || !value->is_array()) return Int(name, range);
  for (size_t i = 0; i < value->size(); ++i) {
    if (!value->AsI64(i) && !value->AsU64(i)) return metadata_.WrongType(Key(name), "u32");
  }
  if (value->size() != static_cast<size_t>(n_layers))
    return ErrorAt(name, fmt::format("has {} entries for {} layers", value->size(), n_layers));
  RF_ASSIGN_OR_RETURN(const int32_t first, Element(name, range, *value, 0));
  for (size_t i = 1; i < value->size(); ++i) {
    RF_ASSIGN_OR_RETURN(const int32_t other, Element(name, range, *value, i));
    if (other == first) continue;
    Error error = ErrorAt(name, fmt::format("is {} for layer 0 and {} for layer {}: layers of different sizes are not "
                                            "supported",
                                            first, other, i));
    error.code = ErrorCode::kUnsupported;
    return error;
  }
  return first;
}

Result<int32_t> KeyReader::IntOfLayers(std::string_view name, IntRange range, int32_t n_layers,
                                       int32_t fallback) const {
  if (!Has(name)) return fallback;
  return IntOfLayers(name, range, n_layers);
}

Result<std::optional<KeyReader::LayerPattern>> KeyReader::Pattern(std::string_view name, int32_t n_layers) const {
  const GgufValue* value = metadata_.Find(Key(name));
  if (value == nullptr) return std::optional<LayerPattern>();
  LayerPattern pattern;
  if (!value->is_array()) {
    RF_ASSIGN_OR_RETURN(pattern.period, Int(name, {0, n_layers}));
    return std::optional<LayerPattern>(pattern);
  }
  if (value->size() != static_cast<size_t>(n_layers))
    return ErrorAt(name, fmt::format("has {} entries for {} layers", value->size(), n_layers));
  for (size_t i = 0; i < value->size(); ++i) {
    const auto number = value->AsI64(i);
    const auto flag = number && (*number == 0 || *number == 1) ? std::optional(*number == 1) : value->AsBool(i);
    if (!flag) return metadata_.WrongType(Key(name), "u32 or array of bool");
    pattern.flags.push_back(*flag);
  }
  return std::optional<LayerPattern>(pattern);
}

Result<float> KeyReader::Float(std::string_view name, FloatRange range) const {
  RF_ASSIGN_OR_RETURN(const float value, metadata_.GetF32(Key(name)));
  if (std::isfinite(value) && value > range.above && value <= range.max) return value;
  return ErrorAt(name, fmt::format("is {}, must be finite and > {}, at most {}", value, range.above, range.max));
}

Result<float> KeyReader::Float(std::string_view name, FloatRange range, float fallback) const {
  if (!Has(name)) return fallback;
  return Float(name, range);
}

Result<float> KeyReader::FloatOrOff(std::string_view name, float max) const {
  if (!Has(name)) return 0.0f;
  RF_ASSIGN_OR_RETURN(const float value, metadata_.GetF32(Key(name)));
  if (std::isfinite(value) && value >= 0.0f && value <= max) return value;
  return ErrorAt(name, fmt::format("is {}, must be finite and > 0, at most {} (or 0 for none)", value, max));
}

}  // namespace rf
