#include "gguf/byte_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "gguf/message.h"

namespace rf {
namespace {

constexpr uint64_t kBufferBytes = 128 << 10;

}  // namespace

std::string ReadPlace::ToString() const {
  std::string out(kind);
  if (index >= 0) out += fmt::format(" #{}", index);
  if (!name.empty()) out += fmt::format(" '{}'", NameForMessage(name, 48));
  return out;
}

ByteReader::ByteReader(const File& file, std::string source, uint64_t max_bytes)
    : file_(file),
      source_(std::move(source)),
      max_bytes_(max_bytes),
      buffer_(std::min<uint64_t>(kBufferBytes, file.size())) {}

Error ByteReader::CorruptAtByte(uint64_t offset, std::string message) const {
  return CorruptAt(source_, offset, std::move(message));
}

Status ByteReader::CheckRange(uint64_t n, std::string_view field) const {
  if (n > remaining())
    return Corrupt(fmt::format("truncated at {} of {}: {} bytes wanted at byte {}, {} remain", field, place_.ToString(),
                               n, position_, remaining()));
  if (position_ > max_bytes_ || n > max_bytes_ - position_)
    return Corrupt(
        fmt::format("metadata goes over the limit of {} bytes at {} of {}", max_bytes_, field, place_.ToString()));
  return {};
}

Status ByteReader::CheckCount(uint64_t count, uint64_t min_bytes, std::string_view field, std::string_view what) const {
  if (count <= remaining() / min_bytes) return {};
  return Corrupt(fmt::format("truncated at {} of {}: {} is more than file can hold: {} bytes remain, at least {} each",
                             field, place_.ToString(), what, remaining(), min_bytes));
}

Status ByteReader::Fill() {
  const size_t n = static_cast<size_t>(std::min<uint64_t>(buffer_.size(), remaining()));
  buffer_at_ = buffer_end_ = 0;
  RF_RETURN_IF_ERROR(file_.ReadAt(position_, std::span(buffer_.data(), n)));
  buffer_end_ = n;
  return {};
}

Status ByteReader::Read(void* dst, uint64_t n, std::string_view field) {
  RF_RETURN_IF_ERROR(CheckRange(n, field));
  auto* out = static_cast<std::byte*>(dst);
  while (n > 0) {
    if (buffer_at_ == buffer_end_) {
      if (n >= buffer_.size()) {  // large: past the buffer
        RF_RETURN_IF_ERROR(file_.ReadAt(position_, std::span(out, n)));
        position_ += n;
        return {};
      }
      RF_RETURN_IF_ERROR(Fill());
    }
    const size_t now = static_cast<size_t>(std::min<uint64_t>(n, buffer_end_ - buffer_at_));
    std::memcpy(out, buffer_.data() + buffer_at_, now);
    out += now;
    n -= now;
    buffer_at_ += now;
    position_ += now;
  }
  return {};
}

}  // namespace rf
