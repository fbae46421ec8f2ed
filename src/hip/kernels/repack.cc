// A block repacks a tile of sixteen outputs: it looks at all scales for each output's power of two, then takes the rows
// apart as the kernels of the file's layout do (lane_weights.h), eight lanes for 256 columns, and puts units together.
#include "hip/kernels/repack.h"

#include "hip/kernels/plain_elements.h"
#include "hip/kernels/planar_weights.h"
#include "hip/kernels/product.h"
#include "hip/kernels/views.h"

namespace rf::hip {
namespace {

constexpr int kThreads = kMatrixSide * kRoundLanes;

template <typename Planar>
RF_DEVICE unsigned char* TileToWrite(const RepackJob& job, int64_t tile) {
  auto* bytes = static_cast<unsigned char*>(const_cast<void*>(job.weight.data));
  return bytes + (job.matrix * TilesOf(job.weight.n_rows) + tile) * TileBytes(Planar::Shape(), job.weight.n_cols);
}
template <typename Planar>
RF_DEVICE int32_t* PowersToWrite(const RepackJob& job, int64_t tile) {
  return const_cast<int32_t*>(ExponentsOfTile(Planar::Shape(), job.weight, job.matrix, tile));
}

// A round of the tile, taken apart.
struct RepackMemory {
  int quants[kMatrixSide][kRoundLanes][8];    // of each unit, as LaneWeights has them
  float scales[kMatrixSide][kRoundLanes][2];  // of each half of a unit
  float minimums[kMatrixSide][kRoundLanes][2];
};

// What a thread does: a row, of which it takes a lane's share apart, and puts a unit together.
template <typename Planar>
struct RepackThread {
  using Block = typename Planar::Block;
  using Scales = typename Planar::Scales;
  using Pieces = LanePieces<Block>;
  const Block* blocks;
  int row;
  int lane;
  int n_rounds;
  bool is_there;

  RF_DEVICE_MEMBER static RepackThread Of(const RepackJob& job) {
    const int row = static_cast<int>(threadIdx.x) / kRoundLanes;
    const int lane = static_cast<int>(threadIdx.x) % kRoundLanes;
    const int64_t in_job = static_cast<int64_t>(blockIdx.x) * kMatrixSide + row;
    const auto n_cols = static_cast<int>(job.weight.n_cols);
    const bool is_there = in_job < job.n_rows;
    const int64_t per_row = n_cols / Block::kElements;
    return {static_cast<const Block*>(job.from) + (is_there ? in_job : 0) * per_row, row, lane,
            is_there ? Pieces::CountRounds(n_cols, lane) : 0, is_there};
  }

  // What the row's scales may be at most, over all its lanes; what is not finite does not count.
  RF_DEVICE_MEMBER float LargestScale() const {
    float largest = 0.0f;
    const auto add = [&](float scale, float minimum) {
      constexpr float kMinimumsPart = 1.0f / (1 << kScaleHeadroom);
      const float found = fmaxf(fabsf(scale), fabsf(minimum) * kMinimumsPart);
      if (found < BitsToFloat(0x7f800000u)) largest = fmaxf(largest, found);
    };
    for (int round = 0; round < n_rounds; ++round) {
      if constexpr (Scales::kTailBytes > 0) {
        add(Scales::LargestScale(blocks[round]), 0.0f);
        add(0.0f, Scales::LargestMinimum(blocks[round]));
      } else {
        const auto weights = Pieces::Unpack(Pieces::Load(blocks, round, lane), lane);
        for (int p = 0; p < Pieces::kPieces; ++p) {
          add(weights.scale[p], 0.0f);
          if (Pieces::kHasMinimum) add(0.0f, weights.minimum[p]);
        }
      }
    }
    for (int mask = 1; mask < kRoundLanes; mask *= 2) largest = fmaxf(largest, ShuffleXor(largest, mask));
    return largest;
  }

  RF_DEVICE_MEMBER void TakeApart(RepackMemory& memory, int round) const {
    LaneWeights<Pieces::kPieces> weights{};
    if (round < n_rounds) weights = Pieces::Unpack(Pieces::Load(blocks, round, lane), lane);
    constexpr int kWords = 8 / Pieces::kPieces;
    RF_UNROLL
    for (int p = 0; p < Pieces::kPieces; ++p) {
      const PiecePlace place = Pieces::PlaceOf(lane, p);
      RF_UNROLL
      for (int w = 0; w < kWords; ++w) {
        memory.quants[row][place.unit][place.half * kWords + w] = weights.quants[p * kWords + w];
      }
      RF_UNROLL
      for (int half = 0; half < 2; ++half) {
        if (Pieces::kPieces == 2 && half != place.half) continue;
        memory.scales[row][place.unit][half] = weights.scale[p];
        memory.minimums[row][place.unit][half] = Pieces::kHasMinimum ? weights.minimum[p] : 0.0f;
      }
    }
  }

  // A quant as planes hold it.
  RF_DEVICE_MEMBER static uint32_t StoredQuant(const RepackMemory& memory, int row, int unit, int column) {
    const auto word = static_cast<uint32_t>(memory.quants[row][unit][column / 4]);
    const auto quant = static_cast<int8_t>(word >> (column % 4 * 8));
    if constexpr (Planar::kHasTable) {
      uint32_t number = 0;
      for (int i = 0; i < 16; ++i) {
        const auto value = static_cast<int8_t>(LookUp<typename Planar::Table>(i));
        if (value == quant) number = static_cast<uint32_t>(i);
      }
      return number;
    } else {
      return static_cast<uint8_t>(Planar::kLowBits == 8 ? quant + 128 : quant);
    }
  }

  template <int kBits>
  RF_DEVICE_MEMBER static void StorePlane(const RepackMemory& memory, int row, int unit, int shift, unsigned char* to) {
    constexpr int kPairs = 16 / kBits;
    constexpr uint32_t kMask = (1u << kBits) - 1;
    for (int word = 0; word < kBits; ++word) {
      uint32_t bits = 0;
      for (int pair = 0; pair < kPairs; ++pair) {
        const int column = 2 * (word * kPairs + pair);
        bits |= (StoredQuant(memory, row, unit, column) >> shift & kMask) << (pair * kBits);
        bits |= (StoredQuant(memory, row, unit, column + 1) >> shift & kMask) << (16 + pair * kBits);
      }
      reinterpret_cast<uint32_t*>(to)[word] = bits;
    }
  }

  // The lane-th unit of the round.
  RF_DEVICE_MEMBER void PutTogether(const RepackMemory& memory, unsigned char* tile, int round, int power) const {
    constexpr PlanarShape kShape = Planar::Shape();
    const int stretch = 2 * round + lane / kUnitsOfStretch;
    const int index = row * kUnitsOfStretch + lane % kUnitsOfStretch;
    const UnitPlace<Planar> place(RecordAt<Planar>(tile, stretch), index);
    StorePlane<Planar::kLowBits>(memory, row, lane, 0, const_cast<unsigned char*>(place.low));
    if constexpr (Planar::kHighBits > 0) {
      StorePlane<Planar::kHighBits>(memory, row, lane, Planar::kLowBits, const_cast<unsigned char*>(place.high));
    }
    auto* scales = const_cast<unsigned char*>(place.scales.unit);
    if constexpr (Scales::kTailBytes > 0) {
      auto* tail = const_cast<unsigned char*>(place.scales.tail);
      if (is_there) {
        Scales::StoreUnit(scales, blocks[round], lane);
        if (lane == 0) Scales::StoreTail(tail, blocks[round], power);
      } else {
        for (int i = 0; i < kShape.scale_bytes; ++i) scales[i] = 0;
        for (int i = 0; lane == 0 && i < kShape.tail_bytes; ++i) tail[i] = 0;
      }
    } else {
      Scales::Store(scales, power, memory.scales[row][lane], memory.minimums[row][lane]);
    }
  }
};

template <typename Block>
RF_KERNEL RF_LAUNCH_BOUNDS(kThreads) RepackQuants(RepackJob job) {
  using Planar = PlanarOf<Block>;
  auto& shared = Shared<RepackMemory>();
  const auto thread = RepackThread<Planar>::Of(job);
  const int64_t tile = job.first_row / kMatrixSide + static_cast<int64_t>(blockIdx.x);
  unsigned char* to = TileToWrite<Planar>(job, tile);
  const float largest = thread.LargestScale();
  const int exponent = largest == 0.0f ? 127 : static_cast<int>(FloatToBits(largest) >> 23);
  const int power = exponent - 127 + kScaleHeadroom;
  if (thread.lane == 0) PowersToWrite<Planar>(job, tile)[thread.row] = power;
  const auto n_stretches = static_cast<int>(StretchesOfColumns(job.weight.n_cols));
  for (int round = 0; 2 * round < n_stretches; ++round) {
    thread.TakeApart(shared, round);
    BlockBarrier();
    if (2 * round + thread.lane / kUnitsOfStretch < n_stretches) thread.PutTogether(shared, to, round, power);
    BlockBarrier();
  }
}

// F16 and BF16: each row's power of two, then its elements as halves. Eight lanes take a row, eight columns at a time.
template <typename Block>
RF_KERNEL RF_LAUNCH_BOUNDS(kThreads) RepackHalves(RepackJob job) {
  using Planar = PlanarOf<Block>;
  const int row = static_cast<int>(threadIdx.x) / kRoundLanes;
  const int lane = static_cast<int>(threadIdx.x) % kRoundLanes;
  const int64_t in_job = static_cast<int64_t>(blockIdx.x) * kMatrixSide + row;
  const auto n_cols = in_job < job.n_rows ? static_cast<int>(job.weight.n_cols) : 0;
  const Block* from = static_cast<const Block*>(job.from) + (n_cols > 0 ? in_job : 0) * job.weight.n_cols;
  uint32_t largest = 0;
  for (int column = lane; column < n_cols; column += kRoundLanes) {
    const uint32_t bits = FloatToBits(ElementOf(from[column])) & 0x7fffffffu;
    if (bits < 0x7f800000u && bits > largest) largest = bits;
  }
  for (int mask = 1; mask < kRoundLanes; mask *= 2) {
    const uint32_t other = ShuffleXor(largest, mask);
    largest = other > largest ? other : largest;
  }
  const int power = largest == 0 ? 0 : static_cast<int>(largest >> 23) - 127 - kLargestHalfExponent;
  const int64_t tile = job.first_row / kMatrixSide + static_cast<int64_t>(blockIdx.x);
  if (lane == 0) PowersToWrite<Planar>(job, tile)[row] = power;
  unsigned char* to = TileToWrite<Planar>(job, tile);
  const auto n_pieces = static_cast<int>(StretchesOfColumns(job.weight.n_cols)) * (kStretch / kPieceColumns);
  for (int piece = lane; piece < n_pieces; piece += kRoundLanes) {
    const EightFloats eight = LoadUpToEight(from + piece * kPieceColumns, n_cols - piece * kPieceColumns);
    int words[4];
    RF_UNROLL
    for (int i = 0; i < 4; ++i) {
      words[i] = PackHalves(TimesPower(eight.values[2 * i], -power), TimesPower(eight.values[2 * i + 1], -power));
    }
    const int column = piece * kPieceColumns;
    const int unit = row * kUnitsOfStretch + column % kStretch / kHalfColumns;
    const UnitPlace<Planar> place(RecordAt<Planar>(to, column / kStretch), unit);
    auto* out = reinterpret_cast<Int4*>(const_cast<unsigned char*>(place.low)) + column % kHalfColumns / kPieceColumns;
    *out = {words[0], words[1], words[2], words[3]};
  }
}

template <typename Block>
void LaunchRepackOf(void* native, const RepackJob& job) {
  const dim3 tiles(static_cast<uint32_t>(CeilDivide(job.n_rows, kMatrixSide)));
  if constexpr (kIsHalves<PlanarOf<Block>>) {
    Launch(native, RepackHalves<Block>, tiles, kThreads, 0, job);
  } else {
    Launch(native, RepackQuants<Block>, tiles, kThreads, sizeof(RepackMemory), job);
  }
}

}  // namespace

uint64_t PlanarWeightBytes(const WeightView& weight) {
  switch (weight.format) {
#define RF_PLANAR_FORMAT(Name) \
  case Format::k##Name:        \
    return static_cast<uint64_t>(PlanarBytes(PlanarOf<Block##Name>::Shape(), weight));
#include "hip/kernels/planar_formats.def"
#undef RF_PLANAR_FORMAT
    default: return 0;
  }
}

void LaunchRepack(void* native, const RepackJob& job) {
  switch (job.weight.format) {
#define RF_PLANAR_FORMAT(Name) \
  case Format::k##Name:        \
    return LaunchRepackOf<Block##Name>(native, job);
#include "hip/kernels/planar_formats.def"
#undef RF_PLANAR_FORMAT
    default: return;
  }
}

}  // namespace rf::hip
