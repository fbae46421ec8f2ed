// GPT-2's way of writing any bytes as printable characters.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace rf {

/// From a character of the alphabet to its byte: bytes that are printable in Latin-1 stand for themselves, the
/// others were given U+0100, U+0101, … in order.
class ByteAlphabet {
 public:
  ByteAlphabet() {
    byte_of_.fill(-1);
    size_t next = 0x100;
    for (size_t byte = 0; byte < 256; ++byte) {
      const bool is_printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte != 0xAD);
      byte_of_[is_printable ? byte : next++] = static_cast<int16_t>(byte);
    }
  }

  /// Appends the bytes that `text` stands for; false, with `out` unchanged, if a character is not of the alphabet.
  bool Decode(std::string_view text, std::string& out) const {
    const size_t size = out.size();
    const char* p = text.data();
    const char* const end = p + text.size();
    while (p < end) {
      Utf8Step step{static_cast<uint8_t>(*p), 1, true, false};
      if (step.code_point >= 0x80) step = DecodeUtf8(p, end);
      if (!step.valid || step.code_point >= byte_of_.size() || byte_of_[step.code_point] < 0) {
        out.resize(size);
        return false;
      }
      out += static_cast<char>(byte_of_[step.code_point]);
      p += step.length;
    }
    return true;
  }

 private:
  std::array<int16_t, 0x144> byte_of_;
};

}  // namespace rf
