// For the tests: reads tests/data/quant and repeats the pseudo-random numbers of tools/make_quant_golden.py.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "quant/format.h"

namespace rf::golden {

/// The parsed file tests/data/quant/<name in lower case>.json.
inline nlohmann::json ReadJson(std::string name) {
  for (char& c : name) c = static_cast<char>(tolower(c));
  const std::string path = std::string(RF_SOURCE_DIR) + "/tests/data/quant/" + name + ".json";
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + " is missing: tools/make_quant_golden.py writes it");
  return nlohmann::json::parse(file);
}

inline std::vector<uint8_t> Bytes(const std::string& hexadecimal) {
  std::vector<uint8_t> bytes(hexadecimal.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(std::stoi(hexadecimal.substr(2 * i, 2), nullptr, 16));
  }
  return bytes;
}

inline std::vector<float> Floats(const std::string& hexadecimal) {
  const std::vector<uint8_t> bytes = Bytes(hexadecimal);
  std::vector<float> values(bytes.size() / sizeof(float));
  memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

/// A value's bits, all NaNs being one.
inline uint32_t CanonicalBits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return (bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : bits;
}

inline uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

inline constexpr uint64_t kSeed = 20251124;
inline constexpr int kDigestBlocks = 1024;

/// Word i of the splitmix64 stream.
inline uint64_t StreamWord(uint64_t seed, uint64_t i) {
  return Mix(seed + (i + 1) * 0x9E3779B97F4A7C15u);
}

/// The bytes of kDigestBlocks blocks.
inline std::vector<uint8_t> RandomBlocks(int block_bytes) {
  std::vector<uint8_t> bytes(static_cast<size_t>(kDigestBlocks) * static_cast<size_t>(block_bytes));
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(StreamWord(kSeed, i / 8) >> (8 * (i % 8)));
  return bytes;
}

/// kDigestBlocks rows of integers of 24 bits times 2^(row % 32 - 40).
inline std::vector<float> RandomRows(int elements) {
  std::vector<float> values(static_cast<size_t>(kDigestBlocks) * static_cast<size_t>(elements));
  for (size_t i = 0; i < values.size(); ++i) {
    const auto integer = static_cast<int>(StreamWord(kSeed + 1, i) & 0xffffffu) - 0x800000;
    const auto row = static_cast<int>(i / static_cast<size_t>(elements));
    values[i] = __builtin_ldexpf(static_cast<float>(integer), row % 32 - 40);
  }
  return values;
}

/// For k of -45..45 and n of 1..48 a row: x = 2^k (1 - n 2^-24), then x * (j % 32 - 16) / 16 rounded to F32.
inline std::vector<float> RowsBelowPowers(int elements) {
  std::vector<float> values;
  for (int k = -45; k <= 45; ++k) {
    for (int n = 1; n <= 48; ++n) {
      const float first = __builtin_ldexpf(static_cast<float>(0x1000000 - n), k - 24);
      for (int j = 0; j < elements; ++j)
        values.push_back(j == 0 ? first : first * (static_cast<float>(j % 32 - 16) / 16));
    }
  }
  return values;
}

/// Sum of Mix(word + (index << 32)), as the golden files write it.
class Digest {
 public:
  void Add(uint32_t word) { sum_ += Mix(word + (index_++ << 32)); }
  std::string ToHexadecimal() const {
    char text[17];
    snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(sum_));
    return text;
  }

 private:
  uint64_t sum_ = 0;
  uint64_t index_ = 0;
};

inline std::string DigestOfValues(const std::vector<float>& values) {
  Digest digest;
  for (const float value : values) digest.Add(CanonicalBits(value));
  return digest.ToHexadecimal();
}

inline std::string DigestOfBytes(const std::vector<uint8_t>& bytes) {
  Digest digest;
  for (const uint8_t byte : bytes) digest.Add(byte);
  return digest.ToHexadecimal();
}

inline std::vector<float> Unpacked(const FormatInfo& info, const std::vector<uint8_t>& blocks) {
  const int64_t n = static_cast<int64_t>(blocks.size()) / info.block_bytes * info.block_elements;
  std::vector<float> values(static_cast<size_t>(n));
  info.unpack(blocks.data(), n, values.data());
  return values;
}

inline std::vector<uint8_t> Packed(const FormatInfo& info, const std::vector<float>& values) {
  const auto n = static_cast<int64_t>(values.size());
  std::vector<uint8_t> blocks(static_cast<size_t>(RowBytes(info, n)));
  info.pack(values.data(), n, blocks.data());
  return blocks;
}

}  // namespace rf::golden
