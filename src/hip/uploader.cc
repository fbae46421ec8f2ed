#include "hip/uploader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "hip/gpu_stream.h"
#include "hip/hip_device.h"

namespace rf::hip {

Result<std::unique_ptr<Uploader>> Uploader::Create(const std::shared_ptr<GpuRuntime>& runtime,
                                                   const GpuTraits& traits) {
  std::array<Lane, 2> lanes;
  for (Lane& lane : lanes) {
    RF_ASSIGN_OR_RETURN(lane.staging, StagingBuffer::Allocate(runtime, kPieceBytes));
    lane.staging_bytes = kPieceBytes;
    RF_ASSIGN_OR_RETURN(lane.stream, CreateGpuStream(runtime, traits));
  }
  return std::unique_ptr<Uploader>(new Uploader(runtime, std::move(lanes)));
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
  return WaitForAll(UploadPieces(static_cast<std::byte*>(device_dst), bytes));
}

// Also after an error: what the copies reach may be freed next.
Status Uploader::WaitForAll(Status status) {
  for (const Lane& lane : lanes_) {
    Status done = lane.stream->Synchronize();
    if (status && !done) status = std::move(done);
  }
  return status;
}

struct Uploader::RowPiece {
  int64_t matrix;
  int64_t first_row;
  int64_t n_rows;
  std::span<const std::byte> bytes;
};

namespace {

// Outputs that are repacked together.
constexpr int64_t kTileRows = 16;

// Calls use(matrix, first row, rows) for pieces of whole tiles.
template <typename Use>
Status ForEachPiece(const WeightView& weight, int64_t row_bytes, Use use) {
  const int64_t fitting = static_cast<int64_t>(Uploader::kPieceBytes) / row_bytes / kTileRows * kTileRows;
  const int64_t rows_at_once = std::max(fitting, kTileRows);
  for (int64_t matrix = 0; matrix < weight.n_matrices; ++matrix) {
    for (int64_t first = 0; first < weight.n_rows; first += rows_at_once) {
      RF_RETURN_IF_ERROR(use(matrix, first, std::min(rows_at_once, weight.n_rows - first)));
    }
  }
  return {};
}

std::span<const std::byte> RowsOf(const WeightView& weight, std::span<const std::byte> bytes, int64_t matrix,
                                  int64_t first_row, int64_t n_rows) {
  const int64_t row_bytes = RowBytes(GetFormatInfo(weight.format), weight.n_cols);
  return bytes.subspan(static_cast<size_t>((matrix * weight.n_rows + first_row) * row_bytes),
                       static_cast<size_t>(n_rows * row_bytes));
}

}  // namespace

Status Uploader::MakeRoom(std::unique_ptr<Buffer>& buffer, size_t bytes) {
  if (buffer != nullptr && buffer->size() >= bytes) return {};
  buffer.reset();
  RF_ASSIGN_OR_RETURN(buffer, AllocateGpuBuffer(runtime_, bytes, "weights on their way"));
  return {};
}

Status Uploader::MakeStagingRoom(Lane& lane, size_t bytes) {
  if (lane.staging_bytes >= bytes) return {};
  RF_ASSIGN_OR_RETURN(lane.staging, StagingBuffer::Allocate(runtime_, bytes));
  lane.staging_bytes = bytes;
  return {};
}

Status Uploader::QueueRepack(Lane& lane, const WeightView& weight, const RowPiece& piece) {
  RF_RETURN_IF_ERROR(lane.stream->Synchronize());
  RF_RETURN_IF_ERROR(MakeStagingRoom(lane, piece.bytes.size()));
  RF_RETURN_IF_ERROR(MakeRoom(lane.rows, std::max(piece.bytes.size(), kPieceBytes) + kReadableBeyond));
  std::memcpy(lane.staging->data(), piece.bytes.data(), piece.bytes.size());
  RF_RETURN_IF_ERROR(lane.stream->CopyToDevice(lane.rows->data(), lane.staging->data(), piece.bytes.size()));
  runtime_->api().repack(lane.stream->native(),
                         {weight, lane.rows->data(), piece.matrix, piece.first_row, piece.n_rows});
  return {};
}

Status Uploader::RepackPieces(const WeightView& weight, std::span<const std::byte> bytes) {
  size_t turn = 0;
  const int64_t row_bytes = RowBytes(GetFormatInfo(weight.format), weight.n_cols);
  return ForEachPiece(weight, row_bytes, [&](int64_t matrix, int64_t first, int64_t n_rows) {
    Lane& lane = lanes_[turn++ % lanes_.size()];
    return QueueRepack(lane, weight, {matrix, first, n_rows, RowsOf(weight, bytes, matrix, first, n_rows)});
  });
}

Status Uploader::UploadRepacked(const WeightView& weight, std::span<const std::byte> bytes) {
  return WaitForAll(RepackPieces(weight, bytes));
}

Result<std::optional<uint64_t>> Uploader::CompareOnDevice(const void* first, const void* second, size_t bytes) {
  for (size_t offset = 0; offset < bytes; offset += kPieceBytes) {
    const size_t size = std::min(kPieceBytes, bytes - offset);
    const void* const sources[] = {first, second};
    for (size_t i = 0; i < lanes_.size(); ++i) {
      const auto* from = static_cast<const std::byte*>(sources[i]) + offset;
      RF_RETURN_IF_ERROR(lanes_[i].stream->CopyToHost(lanes_[i].staging->data(), from, size));
    }
    RF_RETURN_IF_ERROR(WaitForAll({}));
    const auto* one = static_cast<const std::byte*>(lanes_[0].staging->data());
    const auto* other = static_cast<const std::byte*>(lanes_[1].staging->data());
    const auto different = std::mismatch(one, one + size, other).first;
    if (different != one + size) return offset + static_cast<uint64_t>(different - one);
  }
  return std::optional<uint64_t>();
}

// A piece as a weight of its own, which lies elsewhere; its tiles and its outputs' numbers are compared.
Result<std::optional<uint64_t>> Uploader::FindDifferenceOfPiece(const WeightView& weight, const RowPiece& piece) {
  WeightView alone = weight;
  alone.n_matrices = 1;
  alone.n_rows = piece.n_rows;
  const auto bytes_of = [&](int64_t n_matrices, int64_t n_rows) {
    WeightView view = alone;
    view.n_matrices = n_matrices;
    view.n_rows = n_rows;
    return runtime_->api().planar_bytes(view);
  };
  const uint64_t numbers_of_tile = kTileRows * sizeof(int32_t);
  const uint64_t tile_bytes = bytes_of(1, kTileRows) - numbers_of_tile;
  const auto n_tiles = static_cast<uint64_t>((piece.n_rows + kTileRows - 1) / kTileRows);
  const auto tiles_of_matrix = static_cast<uint64_t>((weight.n_rows + kTileRows - 1) / kTileRows);
  const uint64_t first_tile =
      static_cast<uint64_t>(piece.matrix) * tiles_of_matrix + static_cast<uint64_t>(piece.first_row / kTileRows);
  Lane& lane = lanes_.front();
  RF_RETURN_IF_ERROR(MakeRoom(lane.planes, bytes_of(1, piece.n_rows)));
  alone.data = lane.planes->data();
  RF_RETURN_IF_ERROR(QueueRepack(lane, alone, {0, 0, piece.n_rows, piece.bytes}));
  RF_RETURN_IF_ERROR(lane.stream->Synchronize());
  const auto* there = static_cast<const std::byte*>(weight.data);
  const auto* again = static_cast<const std::byte*>(alone.data);
  const uint64_t at = first_tile * tile_bytes;
  RF_ASSIGN_OR_RETURN(const auto in_tiles, CompareOnDevice(there + at, again, n_tiles * tile_bytes));
  if (in_tiles) return at + *in_tiles;
  const uint64_t numbers = static_cast<uint64_t>(weight.n_matrices) * tiles_of_matrix * tile_bytes;
  const uint64_t at_numbers = numbers + first_tile * numbers_of_tile;
  RF_ASSIGN_OR_RETURN(const auto in_numbers,
                      CompareOnDevice(there + at_numbers, again + n_tiles * tile_bytes, n_tiles * numbers_of_tile));
  if (in_numbers) return at_numbers + *in_numbers;
  return std::optional<uint64_t>();
}

Result<std::optional<uint64_t>> Uploader::FindRepackedDifference(const WeightView& weight,
                                                                 std::span<const std::byte> bytes) {
  std::optional<uint64_t> found;
  const int64_t row_bytes = RowBytes(GetFormatInfo(weight.format), weight.n_cols);
  RF_RETURN_IF_ERROR(ForEachPiece(weight, row_bytes, [&](int64_t matrix, int64_t first, int64_t n_rows) -> Status {
    if (found) return {};
    const auto rows = RowsOf(weight, bytes, matrix, first, n_rows);
    RF_ASSIGN_OR_RETURN(found, FindDifferenceOfPiece(weight, {matrix, first, n_rows, rows}));
    return {};
  }));
  return found;
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
