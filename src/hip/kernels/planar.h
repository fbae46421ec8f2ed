// Quantized weights as the matrix kernels read them: repacked at load, plane by plane, so that every lane loads whole
// 16-byte words that hold what it multiplies.
//
// Sixteen outputs are a tile. Of it 128 columns are a record: for each output, for each unit of 32 columns, the quants'
// low bits (low plane), what they have above four or two bits (high plane), and the unit's scales. Formats with scales
// of scales keep those behind two records, which are a block of the file. In a plane, word i of a unit holds pairs of
// neighbouring columns from its lowest bits up: the first of a pair in the lower half of the word, the second in its
// upper half, as a GPU multiplies halves.
//
// Weights that are halves have one plane, in which a unit's words are its columns as they are in the file.
//
// An output's weights are divided by a power of two of their own, so that the largest scale is below 2^-9: a quant's
// bits are a half of 2^-24 of its value, and scale * 2^24 must be a half too. The product's sum is multiplied by it in
// F32. Those of F16 and BF16 are divided so that the largest is below 2^15, which also makes more of F16's subnormal
// numbers normal ones.
#pragma once

#include "hip/kernels/halves.h"
#include "ops/tensor.h"

namespace rf::hip {

/// WeightView::layout of repacked weights.
inline constexpr WeightLayout kPlanarLayout = 1;

inline constexpr int kUnitsOfRecord = kMatrixSide * kUnitsOfStretch;
/// The power of two of an output: its largest scale's exponent and as much more.
inline constexpr int kScaleHeadroom = 10;
/// The same of weights that are halves: what is left of the largest one's exponent.
inline constexpr int kLargestHalfExponent = 14;

/// The bytes of a record, from its first: planes, then scales; of what follows each second one.
struct PlanarShape {
  int32_t low_words;    ///< of a unit: its low bits for each column
  int32_t high_words;   ///< of a unit
  int32_t scale_bytes;  ///< of a unit
  int32_t tail_bytes;   ///< of an output, for 256 columns; 0: records follow one another
};

namespace {

RF_HOST_DEVICE constexpr int32_t RecordBytes(const PlanarShape& shape) {
  return kUnitsOfRecord * (4 * (shape.low_words + shape.high_words) + shape.scale_bytes);
}
/// Of the records of 256 columns with their tail, or of a record.
RF_HOST_DEVICE constexpr int32_t GroupBytes(const PlanarShape& shape) {
  if (shape.tail_bytes == 0) return RecordBytes(shape);
  return 2 * RecordBytes(shape) + kMatrixSide * shape.tail_bytes;
}
RF_HOST_DEVICE constexpr int64_t TileBytes(const PlanarShape& shape, int64_t n_cols) {
  const int64_t n_stretches = StretchesOfColumns(n_cols);
  return GroupBytes(shape) * (shape.tail_bytes == 0 ? n_stretches : (n_stretches + 1) / 2);
}
RF_HOST_DEVICE constexpr int64_t TilesOf(int64_t n_rows) {
  return (n_rows + kMatrixSide - 1) / kMatrixSide;
}
/// Tiles of all matrices, then the outputs' powers of two as int32_t.
RF_HOST_DEVICE constexpr int64_t ExponentsOffset(const PlanarShape& shape, const WeightView& weight) {
  return weight.n_matrices * TilesOf(weight.n_rows) * TileBytes(shape, weight.n_cols);
}
RF_HOST_DEVICE constexpr int64_t PlanarBytes(const PlanarShape& shape, const WeightView& weight) {
  return ExponentsOffset(shape, weight) + weight.n_matrices * TilesOf(weight.n_rows) * kMatrixSide * 4;
}

/// The powers of two of a tile's outputs.
RF_DEVICE const int32_t* ExponentsOfTile(const PlanarShape& shape, const WeightView& weight, int64_t matrix,
                                         int64_t tile) {
  const auto* bytes = static_cast<const unsigned char*>(weight.data);
  const auto* exponents = reinterpret_cast<const int32_t*>(bytes + ExponentsOffset(shape, weight));
  return exponents + (matrix * TilesOf(weight.n_rows) + tile) * kMatrixSide;
}

/// value * 2^power, in two steps as one of them may be beyond F32.
RF_DEVICE float TimesPower(float value, int power) {
  const int first = power / 2;
  return value * PowerOfTwo(static_cast<uint32_t>(127 + first)) *
         PowerOfTwo(static_cast<uint32_t>(127 + power - first));
}

}  // namespace
}  // namespace rf::hip
