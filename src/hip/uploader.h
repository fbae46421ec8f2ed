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

  /// Copies the weight's `bytes`, as the file holds them, to the device and has them repacked there, to weight.data.
  /// Errors: kDevice, kOutOfMemory.
  Status UploadRepacked(const WeightView& weight, std::span<const std::byte> bytes);

  /// Copies device memory back: the first byte in which it differs from `bytes`. Errors: kDevice.
  Result<std::optional<uint64_t>> FindDifference(const void* device_src, std::span<const std::byte> bytes);
  /// The same of a weight that was repacked from `bytes`: repacks them once more. Errors: kDevice, kOutOfMemory.
  Result<std::optional<uint64_t>> FindRepackedDifference(const WeightView& weight, std::span<const std::byte> bytes);

 private:
  struct Lane {
    std::unique_ptr<StagingBuffer> staging;
    size_t staging_bytes = 0;
    std::unique_ptr<Buffer> rows;    // of the file, to be repacked
    std::unique_ptr<Buffer> planes;  // that were repacked once more
    std::unique_ptr<Stream> stream;  // goes before the memory that its copies read
  };
  Uploader(std::shared_ptr<GpuRuntime> runtime, std::array<Lane, 2> lanes)
      : runtime_(std::move(runtime)), lanes_(std::move(lanes)) {}
  Status UploadPieces(std::byte* device_dst, std::span<const std::byte> bytes);
  Status RepackPieces(const WeightView& weight, std::span<const std::byte> bytes);
  /// Some rows of a weight.
  struct RowPiece;
  /// Queues the upload and the repacking of a piece on a lane.
  Status QueueRepack(Lane& lane, const WeightView& weight, const RowPiece& piece);
  Result<std::optional<uint64_t>> FindDifferenceOfPiece(const WeightView& weight, const RowPiece& piece);
  Result<std::optional<uint64_t>> CompareOnDevice(const void* first, const void* second, size_t bytes);
  Status MakeRoom(std::unique_ptr<Buffer>& buffer, size_t bytes);
  Status MakeStagingRoom(Lane& lane, size_t bytes);
  Status WaitForAll(Status status);

  std::shared_ptr<GpuRuntime> runtime_;
  std::array<Lane, 2> lanes_;
};

}  // namespace rf::hip
