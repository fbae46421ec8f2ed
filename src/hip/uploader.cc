#include "hip/uploader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "hip/gpu_stream.h"

namespace rf::hip {

Result<std::unique_ptr<Uploader>> Uploader::Create(const std::shared_ptr<GpuRuntime>& runtime,
                                                   const GpuTraits& traits) {
  std::array<Lane, 2> lanes;
  for (Lane& lane : lanes) {
    RF_ASSIGN_OR_RETURN(lane.staging, StagingBuffer::Allocate(runtime, kPieceBytes));
    RF_ASSIGN_OR_RETURN(lane.stream, CreateGpuStream(runtime, traits));
  }
  return std::unique_ptr<Uploader>(new Uploader(std::move(lanes)));
}

// The lanes take turns; a lane's buffer is filled again when its last copy is done.
Status Uploader::UploadPieces(std::byte* device_dst, std::span<const std::byte> bytes) {
  for (size_t offset = 0, turn = 0; offset < bytes.size(); offset += kPieceBytes, ++turn) {
    const Lane& lane = lanes_[turn % lanes_.size()];
    RF_RETURN_IF_ERROR(lane.stream->Synchronize());
    const size_t size = std::min(kPieceBytes, bytes.size() - offset);
    std::memcpy(lane.staging->data(), bytes.data() + offset, size);
    RF_RETURN_IF_ERROR(lane.stream->CopyToDevice(device_dst + offset, lane.staging->data(), size));
  }
  return {};
}

Status Uploader::Upload(void* device_dst, std::span<const std::byte> bytes) {
  Status status = UploadPieces(static_cast<std::byte*>(device_dst), bytes);
  // Also after an error: the destination may be freed next.
  for (const Lane& lane : lanes_) {
    Status done = lane.stream->Synchronize();
    if (status && !done) status = std::move(done);
  }
  return status;
}

Result<std::optional<uint64_t>> Uploader::FindDifference(const void* device_src, std::span<const std::byte> bytes) {
  const Lane& lane = lanes_.front();
  for (size_t offset = 0; offset < bytes.size(); offset += kPieceBytes) {
    const auto piece = bytes.subspan(offset, std::min(kPieceBytes, bytes.size() - offset));
    const auto* device_piece = static_cast<const std::byte*>(device_src) + offset;
    RF_RETURN_IF_ERROR(lane.stream->CopyToHost(lane.staging->data(), device_piece, piece.size()));
    RF_RETURN_IF_ERROR(lane.stream->Synchronize());
    const auto* copy = static_cast<const std::byte*>(lane.staging->data());
    const auto different = std::mismatch(piece.begin(), piece.end(), copy).first;
    if (different != piece.end()) return offset + static_cast<uint64_t>(different - piece.begin());
  }
  return std::nullopt;
}

}  // namespace rf::hip
