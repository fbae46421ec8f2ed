// Brings weights from the file to a GPU: one piece is copied to the device while the next is read.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "device/device.h"
#include "hip/gpu_buffer.h"

namespace rf::hip {

class Uploader {
 public:
  static constexpr size_t kPieceBytes = size_t{4} << 20;

  /// Reserves two staging buffers with a stream each. `traits` must outlive it. Errors: kDevice, kOutOfMemory.
  static Result<std::unique_ptr<Uploader>> Create(const std::shared_ptr<GpuRuntime>& runtime, const GpuTraits& traits);

  /// Copies `bytes` to device memory and waits for it: afterwards the source may go. Errors: kDevice.
  Status Upload(void* device_dst, std::span<const std::byte> bytes);

  /// Copies device memory back: the first byte in which it differs from `bytes`. Errors: kDevice.
  Result<std::optional<uint64_t>> FindDifference(const void* device_src, std::span<const std::byte> bytes);

 private:
  struct Lane {
    std::unique_ptr<StagingBuffer> staging;
    std::unique_ptr<Stream> stream;  // goes before the memory that its copies read
  };
  explicit Uploader(std::array<Lane, 2> lanes) : lanes_(std::move(lanes)) {}
  Status UploadPieces(std::byte* device_dst, std::span<const std::byte> bytes);

  std::array<Lane, 2> lanes_;
};

}  // namespace rf::hip
