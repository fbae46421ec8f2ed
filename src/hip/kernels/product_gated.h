// Gate and up for one row with their gated unit. A block has the same kUnit columns of both, so that it can make the
// unit that the product with `down` meets.
#pragma once

#include "hip/kernels/activation.h"
#include "hip/kernels/product_lanes.h"
#include "hip/kernels/product_shape.h"
#include "hip/kernels/units.h"

namespace rf::hip {
namespace {

/// A block: kPasses tiles of outputs one after another, the first half of them of gate, the others of up.
struct GatedShape : ProductShape<1, 4> {
  static constexpr int kPassOutputs = ProductShape<1, 4>::kTileOutputs;
  static constexpr int kPasses = 2 * kUnit / kPassOutputs;
  static constexpr int kTileOutputs = kPasses * kPassOutputs;
  struct Memory {
    float sums[kProductLanes][kTileOutputs + 1];  ///< an odd stride: the lanes write to different banks
    alignas(16) float outputs[kTileOutputs];
  };
};

/// The lane's sums of a pass, in the order of the other kernels. first: of the part's outputs.
template <typename Block>
RF_DEVICE void SumPass(const ProductJob& job, const WeightView& weight, int first, int lane,
                       float (&sums)[GatedShape::kOutputs]) {
  using Pieces = LanePieces<Block>;
  const int place = lane % kRoundLanes;
  const int group = static_cast<int>(threadIdx.x) / kProductLanes;
  const Block* rows[GatedShape::kOutputs];
  RF_UNROLL
  for (int c = 0; c < GatedShape::kOutputs; ++c) {
    rows[c] = BlocksOf<Block>(weight, first + group + c * GatedShape::kGroups);
    sums[c] = 0.0f;
  }
  const int n_rounds = Pieces::CountRounds(static_cast<int>(job.args.x.n_cols), place);
  for (int round = lane / kRoundLanes; round < n_rounds; round += kRoundsAtOnce) {
    typename Pieces::Raw raw[GatedShape::kOutputs];
    RF_UNROLL
    for (int c = 0; c < GatedShape::kOutputs; ++c) raw[c] = Pieces::Load(rows[c], round, place);
    KeepOrder();
    const auto activations = LoadActivations<Pieces>(job.units[round], place);
    RF_UNROLL
    for (int c = 0; c < GatedShape::kOutputs; ++c) {
      sums[c] = AddPieces<Pieces>(Pieces::Unpack(raw[c], place), activations, sums[c]);
    }
  }
}

/// The i-th of the block's outputs: the lanes' sums, lane 0 first, written to its part.
RF_DEVICE float FinishOutput(const ProductJob& job, const GatedShape::Memory& shared, int first, int i) {
  float sum = shared.sums[0][i];
  for (int lane = 1; lane < kProductLanes; ++lane) sum += shared.sums[lane][i];
  if (i < kUnit) return StoreOutput(job, job.args.parts[0], 0, first + i, sum);
  return StoreOutput(job, job.args.parts[1], 0, first + i - kUnit, sum);
}

/// Columns first .. first + kUnit - 1 of y, with their unit. One wave.
RF_DEVICE void FinishUnit(const Glu::Args& glu, const GatedShape::Memory& shared, int first, const UnitsPlace& units) {
  const bool is_there = Lane() < kLanesOfUnit;
  const int column = is_there ? Lane() * 4 : 0;
  const Float4 y = GluOf(glu.attrs.activation, *reinterpret_cast<const Float4*>(&shared.outputs[column]),
                         *reinterpret_cast<const Float4*>(&shared.outputs[kUnit + column]));
  if (is_there) {
    float* to = RowOf(glu.y, 0) + first + column;
    to[0] = y.x;
    to[1] = y.y;
    to[2] = y.z;
    to[3] = y.w;
  }
  MakeUnit(y, units, 0, first + column, is_there);
}

template <typename Block>
RF_KERNEL RF_MANY_REGISTERS(GatedShape::kThreads) MultiplyGated(ProductJob job, Glu::Args glu, UnitsPlace units) {
  if constexpr (kNeedsIntegers) {
    auto& shared = Shared<GatedShape::Memory>();
    const auto thread = static_cast<int>(threadIdx.x);
    const int first = static_cast<int>(blockIdx.x) * kUnit;
    for (int pass = 0; pass < GatedShape::kPasses; ++pass) {
      const int begin = pass * GatedShape::kPassOutputs;
      const bool is_gate = begin < kUnit;
      float sums[GatedShape::kOutputs];
      SumPass<Block>(job, is_gate ? job.args.parts[0].weight : job.args.parts[1].weight,
                     first + (is_gate ? begin : begin - kUnit), thread % kProductLanes, sums);
      RF_UNROLL
      for (int c = 0; c < GatedShape::kOutputs; ++c) {
        shared.sums[thread % kProductLanes][begin + thread / kProductLanes + c * GatedShape::kGroups] = sums[c];
      }
    }
    BlockBarrier();
    if (thread < GatedShape::kTileOutputs) shared.outputs[thread] = FinishOutput(job, shared, first, thread);
    BlockBarrier();
    if (WaveIndex() == 0) FinishUnit(glu, shared, first, units);
  }
}

template <typename Block>
bool LaunchGated(void* native, const ProductJob& job, const Glu::Args& glu, const UnitsPlace& units) {
  static_assert(GatedShape::kTileOutputs <= GatedShape::kThreads);
  Launch(native, MultiplyGated<Block>, dim3(static_cast<uint32_t>(glu.y.n_cols / kUnit)), GatedShape::kThreads,
         sizeof(GatedShape::Memory), job, glu, units);
  return true;
}

}  // namespace
}  // namespace rf::hip
