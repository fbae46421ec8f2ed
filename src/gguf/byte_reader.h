// The one way in which bytes of a GGUF header are read: in order, bounded, and with the name of the field at hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace rf {

/// What is being read, for messages: "key #3 'general.name'". The name must outlive its use here.
struct ReadPlace {
  std::string_view kind = "header";
  int64_t index = -1;     ///< -1: the kind says it all
  std::string_view name;  ///< empty: not known yet
  std::string ToString() const;
};

/// Reads a file from its first byte on through a buffer. Nothing is read twice, so what was checked is what is used,
/// even if the file changes meanwhile.
class ByteReader {
 public:
  /// Refuses to go beyond `max_bytes`. `file` must outlive the reader; `source` is how messages call it.
  ByteReader(const File& file, std::string source, uint64_t max_bytes);

  uint64_t position() const { return position_; }
  /// Bytes of the file that were not read yet.
  uint64_t remaining() const { return file_.size() - position_; }
  const std::string& source() const { return source_; }
  void set_place(const ReadPlace& place) { place_ = place; }
  const ReadPlace& place() const { return place_; }

  /// Copies the next n bytes. Errors: kCorruptFile "truncated at FIELD of PLACE" or over max_bytes; kIo.
  Status Read(void* dst, uint64_t n, std::string_view field);
  /// The next number, little-endian.
  template <typename T>
  Result<T> ReadNumber(std::string_view field) {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
    T value;
    RF_RETURN_IF_ERROR(Read(&value, sizeof(value), field));
    return value;
  }

  /// Success if `count` records of at least `min_bytes` each can follow. To be asked before memory is taken for them.
  /// `what` describes the count: "n_kv 7 at byte 16".
  Status CheckCount(uint64_t count, uint64_t min_bytes, std::string_view field, std::string_view what) const;

  /// kCorruptFile at the current byte, or at `offset`.
  Error Corrupt(std::string message) const { return CorruptAtByte(position_, std::move(message)); }
  Error CorruptAtByte(uint64_t offset, std::string message) const;

 private:
  Status CheckRange(uint64_t n, std::string_view field) const;
  Status Fill();

  const File& file_;
  std::string source_;
  uint64_t max_bytes_;
  ReadPlace place_;
  uint64_t position_ = 0;
  std::vector<std::byte> buffer_;  // bytes [position_ - buffer_at_, …) of the file
  size_t buffer_at_ = 0;           // index of the byte at position_
  size_t buffer_end_ = 0;          // valid bytes in buffer_
};

}  // namespace rf
