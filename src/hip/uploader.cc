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

}  // namespace rf::hip
