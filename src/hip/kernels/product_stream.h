// How a wave of the slice kernels keeps stretches of weights under way: in registers, or on the way to shared memory
// where the GPU copies there by itself.
//
// In registers the compiler has to know which loads are done. AMD's counts them in order. NVIDIA's has six counters for
// all that is under way, and waits for everything where a loop begins anew: there the pipeline would run dry every
// kAhead stretches. Copies to shared memory are counted in order, and need no registers.
#pragma once

#include "hip/kernels/planar_weights.h"

namespace rf::hip {
namespace {

/// In registers: kAhead stretches of a tile.
template <typename Planar, int kAhead>
struct HeldStretches {
  static constexpr bool kIsBeside = false;  ///< the lane's own loads: those of activations are to come first
  static constexpr int kAtOnce = kAhead;    ///< a loop's body takes so many, as registers have no index
  static constexpr int kTiles = 1;          ///< that the wave multiplies at once
  struct Memory {};
  LaneRecord<Planar> records[kAtOnce];

  RF_DEVICE_MEMBER explicit HeldStretches(Memory& /*of_wave*/) {}
  /// n_stretches of the tile, from the first-th on; tile_of(i): the wave's i-th tile's first byte.
  template <typename TileOf>
  RF_DEVICE_MEMBER void Begin(const TileOf& tile_of, int first, int n_stretches) {
    tile = tile_of(0);
    next = first;
    RF_UNROLL
    for (int a = 0; a < kAtOnce; ++a) {
      if (a < n_stretches) records[a].Load(tile, next++);
    }
  }
  /// To be called before the i-th of them is taken.
  RF_DEVICE_MEMBER void Advance(int /*i*/, int /*n_stretches*/) {}
  /// The one that is a-th in the loop's body, of the wave's t-th tile.
  RF_DEVICE_MEMBER const LaneRecord<Planar>& Take(int a, int /*t*/) const { return records[a]; }
  /// To be called when it was multiplied.
  RF_DEVICE_MEMBER void Replace(int i, int a, int n_stretches) {
    if (i + kAtOnce < n_stretches) records[a].Load(tile, next++);
  }

 private:
  const unsigned char* tile;
  int next;
};

/// In shared memory, a ring of kStages: one stretch of kTiles tiles is read while the next ones come; kBytes: of a
/// tile's. Waves of 32 lanes. All places move by additions, as a stretch is so little work that computing them would
/// count.
template <typename Planar, int kBytes, int kTilesOf = 1>
struct RingStretches {
  static constexpr bool kIsBeside = true;
  static constexpr int kAtOnce = 1;
  static constexpr int kTiles = kTilesOf;
  static constexpr PlanarShape kShape = Planar::Shape();
  static constexpr int kLanes = 32;
  static constexpr int kRecord = RecordBytes(kShape);
  static constexpr int kTail = kMatrixSide * kShape.tail_bytes;
  static constexpr int kStage = kRecord + kTail;
  static constexpr int kMostStages = kBytes / kStage;
  static constexpr int kStages = kMostStages < 3 ? 3 : (kMostStages > 6 ? 6 : kMostStages);
  // Each lane copies a piece of every kRound bytes; of what is left some lanes do: the record's rest, then its tail.
  static constexpr int kRound = 16 * kLanes;
  static constexpr int kRounds = kRecord / kRound;
  static constexpr int kRest = kStage - kRounds * kRound;
  static_assert(kRest <= kRound);
  struct Memory {
    alignas(16) unsigned char stages[kStages][kTiles * kStage];
  };

  RF_DEVICE_MEMBER explicit RingStretches(Memory& of_wave)
      : slot(of_wave.stages[0]), written(of_wave.stages[kStages - 1]) {}
  template <typename TileOf>
  RF_DEVICE_MEMBER void Begin(const TileOf& tile_of, int first, int n_stretches) {
    const unsigned char* tile = tile_of(0);
    RF_UNROLL
    for (int t = 1; t < kTiles; ++t) further[t - 1] = static_cast<uint32_t>(tile_of(t) - tile);
    const RecordPlace place = RecordAt<Planar>(tile, first);
    const int of_lane = 16 * Lane();
    const int in_stage = kRounds * kRound + of_lane;
    source = place.record + of_lane;
    rest = IsOfRecord() ? place.record + in_stage : place.tail + (in_stage - kRecord);
    is_odd = first % 2;
    RF_UNROLL
    for (int s = 0; s < kStages - 1; ++s) {
      Copy(slot + s * kAllTiles, s < n_stretches);
      CloseCopies();
    }
  }
  RF_DEVICE_MEMBER void Advance(int i, int n_stretches) {
    WaitForCopies<kStages - 2>();
    WaveBarrier();
    // All lanes have read what they needed of the slot before.
    Copy(written, i + kStages - 1 < n_stretches);
    CloseCopies();
    written = slot;
    const bool is_last = ++stage == kStages;
    slot += is_last ? (1 - kStages) * kAllTiles : kAllTiles;
    if (is_last) stage = 0;
  }
  RF_DEVICE_MEMBER LaneRecord<Planar> Take(int /*a*/, int t) const {
    const unsigned char* at = written + t * kStage;
    LaneRecord<Planar> record;
    record.LoadFrom({at, at + kRecord});
    return record;
  }
  RF_DEVICE_MEMBER void Replace(int /*i*/, int /*a*/, int /*n_stretches*/) {}

 private:
  static constexpr int kAllTiles = kTiles * kStage;
  const unsigned char* source;                     // the lane's first piece of the next record
  const unsigned char* rest;                       // and its last one
  uint32_t further[kTiles == 1 ? 1 : kTiles - 1];  // from the first tile to the others
  unsigned char* slot;                             // that is read next
  unsigned char* written;                          // the one before: it is read, then written to
  int stage = 0;                                   // which it is
  int is_odd;                                      // the next record, of its group

  RF_DEVICE_MEMBER static bool IsOfRecord() { return kRounds * kRound + 16 * Lane() < kRecord; }
  RF_DEVICE_MEMBER void Copy(unsigned char* to, bool is_there) {
    to += 16 * Lane();
    RF_UNROLL
    for (int t = 0; t < kTiles; ++t) CopyTile(to + t * kStage, is_there, t == 0 ? 0 : further[t == 0 ? 0 : t - 1]);
    // Behind the second record of a group lies their tail.
    const int step = kTail > 0 && is_odd != 0 ? kRecord + kTail : kRecord;
    const int step_of_tail = is_odd != 0 ? GroupBytes(kShape) : 0;
    source += step;
    rest += IsOfRecord() ? step : step_of_tail;
    is_odd ^= 1;
  }
  RF_DEVICE_MEMBER void CopyTile(unsigned char* to, bool is_there, uint32_t more) const {
    RF_UNROLL
    for (int r = 0; r < kRounds; ++r) CopySixteenIf(is_there, to + r * kRound, source + more + r * kRound);
    if constexpr (kRest > 0) CopySixteenIf(is_there && 16 * Lane() < kRest, to + kRounds * kRound, rest + more);
  }
};

}  // namespace
}  // namespace rf::hip
