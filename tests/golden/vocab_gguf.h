// The vocabulary of a GGUF file for tests, read without the engine's own reader.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "text/tokenizer/tokenizer.h"

namespace rf::testing {

/// Reads the metadata of a trusted GGUF file (version 2 or 3, little endian). Source: the format's public description.
class VocabGguf {
 public:
  /// Throws std::runtime_error if the file cannot be read.
  static VocabData Read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot open " + path);
    VocabGguf reader(file);
    return reader.ReadAll();
  }

 private:
  explicit VocabGguf(std::istream& in) : in_(in) {}

  template <typename T>
  T Number() {
    T value{};
    in_.read(reinterpret_cast<char*>(&value), sizeof(value));
    if (!in_) throw std::runtime_error("GGUF file ends early");
    return value;
  }
  std::string String() {
    std::string text(Number<uint64_t>(), '\0');
    in_.read(text.data(), static_cast<std::streamsize>(text.size()));
    return text;
  }
  /// Any scalar as a double; exact for everything a vocabulary has.
  double Scalar(uint32_t type) {
    switch (type) {
      case 0: return Number<uint8_t>();
      case 1: return Number<int8_t>();
      case 2: return Number<uint16_t>();
      case 3: return Number<int16_t>();
      case 4: return Number<uint32_t>();
      case 5: return Number<int32_t>();
      case 6: return Number<float>();
      case 7: return Number<uint8_t>();
      case 10: return static_cast<double>(Number<uint64_t>());
      case 11: return static_cast<double>(Number<int64_t>());
      case 12: return Number<double>();
      default: throw std::runtime_error("unknown GGUF value type");
    }
  }

  VocabData ReadAll() {
    if (Number<uint32_t>() != 0x46554747u) throw std::runtime_error("not a GGUF file");
    Number<uint32_t>();
    Number<uint64_t>();
    for (auto n = Number<uint64_t>(); n > 0; --n) ReadEntry();
    VocabData data;
    const std::string prefix = "tokenizer.ggml.";
    data.model = strings_[prefix + "model"];
    data.pre = strings_[prefix + "pre"];
    data.tokens = std::move(string_arrays_[prefix + "tokens"]);
    data.merges = std::move(string_arrays_[prefix + "merges"]);
    for (const double score : arrays_[prefix + "scores"]) data.scores.push_back(static_cast<float>(score));
    for (const double type : arrays_[prefix + "token_type"]) data.types.push_back(static_cast<int32_t>(type));
    const auto id = [&](const char* name) -> std::optional<TokenId> {
      const auto found = scalars_.find(prefix + name + "_token_id");
      if (found == scalars_.end()) return std::nullopt;
      return static_cast<TokenId>(found->second);
    };
    data.bos = id("bos");
    data.eos = id("eos");
    data.unk = id("unknown");
    data.sep = id("seperator");
    data.pad = id("padding");
    data.cls = id("cls");
    data.mask = id("mask");
    data.eot = id("eot");
    data.eom = id("eom");
    const auto flag = [&](const char* name) -> std::optional<bool> {
      const auto found = scalars_.find(prefix + name);
      if (found == scalars_.end()) return std::nullopt;
      return found->second != 0;
    };
    data.add_bos = flag("add_bos_token");
    data.add_eos = flag("add_eos_token");
    data.add_sep = flag("add_sep_token");
    data.add_space_prefix = flag("add_space_prefix");
    data.remove_extra_whitespaces = flag("remove_extra_whitespaces");
    data.lowercase = flag("normalizer.lowercase");
    data.strip_accents = flag("normalizer.strip_accents");
    for (const double byte : arrays_[prefix + "precompiled_charsmap"]) {
      data.precompiled_charsmap += static_cast<char>(static_cast<int>(byte));
    }
    return data;
  }

  void ReadEntry() {
    const std::string key = String();
    const auto type = Number<uint32_t>();
    if (type == 8) {
      strings_[key] = String();
    } else if (type == 9) {
      const auto element = Number<uint32_t>();
      for (auto n = Number<uint64_t>(); n > 0; --n) {
        if (element == 8) {
          string_arrays_[key].push_back(String());
        } else {
          arrays_[key].push_back(Scalar(element));
        }
      }
    } else {
      scalars_[key] = Scalar(type);
    }
  }

  std::istream& in_;
  std::map<std::string, std::string> strings_;
  std::map<std::string, std::vector<std::string>> string_arrays_;
  std::map<std::string, std::vector<double>> arrays_;
  std::map<std::string, double> scalars_;
};

}  // namespace rf::testing
