// The best k of a row in two launches. First each block takes a tile of kTile logits and leaves its k best; then one
// block chooses among those, and beside it others sum weights, which the row's largest must be known for. A choice goes
// through the keys' digits, highest first, and counts: nothing is sorted but the k that are left.
#include "base/fast_exp2.h"
#include "hip/kernels/register.h"
#include "hip/kernels/views.h"

namespace rf::hip {
namespace {

constexpr int kThreads = 256;
constexpr int kHeld = 16;  // keys that a thread holds
constexpr int kTile = kThreads * kHeld;
constexpr int kMostWaves = kThreads / 32;
constexpr int kMostBest = static_cast<int>(BestLogits::kMostBest);
constexpr int kMostRows = 64;  // of one launch: more share the workspace one after the other
constexpr int kLanes = BestLogits::kLanes;
constexpr int kPartsOfBlock = kThreads / kLanes;

/// A logit and its id as one number: larger is better, equal logits by lower id. 0: none.
using Key = uint64_t;

RF_DEVICE Key KeyOf(float logit, int id) {
  const float value = logit + 0.0f;  // a zero without its sign
  if (!(value > -INFINITY)) return 0;
  const uint32_t bits = FloatToBits(value);
  const uint32_t order = (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
  return static_cast<Key>(order) << 32 | (0xffffffffu - static_cast<uint32_t>(id));
}
RF_DEVICE float LogitOf(Key key) {
  const auto order = static_cast<uint32_t>(key >> 32);
  return BitsToFloat((order >> 31) != 0 ? order & 0x7fffffffu : ~order);
}
RF_DEVICE int IdOf(Key key) {
  return static_cast<int>(0xffffffffu - static_cast<uint32_t>(key));
}

/// What the first launch leaves for the second. Of row i of this launch:
struct Scratch {
  Key* keys;     // [n_tiles, k] the best of each tile, in any order, behind them 0
  Key* largest;  // [n_tiles, waves of a block]
  int n_tiles;
  int first_row;
};

struct ChoiceShared {
  uint64_t counts[2][kMostWaves][4];
  int n_of_wave[kMostWaves];
  Key best[kMostBest];
};

/// Sixteen counters of 16 bits each, one for each value of a digit.
struct DigitCounts {
  uint64_t words[4] = {};

  RF_DEVICE_MEMBER void Add(int digit) {
    RF_UNROLL
    for (int w = 0; w < 4; ++w) words[w] += digit / 4 == w ? uint64_t{1} << (digit % 4 * 16) : 0;
  }
  RF_DEVICE_MEMBER int Of(int digit) const { return static_cast<int>(words[digit / 4] >> (digit % 4 * 16) & 0xffff); }
};

/// The sum over the block. `of_wave` may be written again after the next but one barrier.
RF_DEVICE DigitCounts BlockCounts(DigitCounts counts, uint64_t (&of_wave)[kMostWaves][4]) {
  RF_UNROLL
  for (int w = 0; w < 4; ++w) {
    counts.words[w] = WaveSum(counts.words[w]);
    if (Lane() == 0) of_wave[WaveIndex()][w] = counts.words[w];
  }
  BlockBarrier();
  DigitCounts sum;
  for (int wave = 0; wave < WavesInBlock(); ++wave) {
    RF_UNROLL
    for (int w = 0; w < 4; ++w) sum.words[w] += of_wave[wave][w];
  }
  return sum;
}

/// The largest number that k of the block's keys reach; 0 if there are fewer than k. No two keys but 0 are equal. All
/// threads must call it.
RF_DEVICE Key ReachedBy(const Key (&keys)[kHeld], int k, ChoiceShared& shared) {
  Key prefix = 0;
  int n_left = k;
  for (int shift = 60; shift >= 0; shift -= 4) {
    DigitCounts counts;
    RF_UNROLL
    for (int i = 0; i < kHeld; ++i) {
      const Key digits = (keys[i] ^ prefix) >> shift;
      if (digits >> 4 == 0) counts.Add(static_cast<int>(digits));
    }
    const DigitCounts all = BlockCounts(counts, shared.counts[shift / 4 % 2]);
    int digit = 0;
    int n = 0;
    bool is_found = false;
    RF_UNROLL
    for (int d = 15; d >= 0; --d) {
      if (is_found) continue;
      digit = d;
      n = all.Of(d);
      is_found = n >= n_left;
      if (!is_found) n_left -= n;
    }
    if (!is_found) return 0;
    prefix |= static_cast<Key>(digit) << shift;
    if (n == n_left) return prefix;
  }
  return prefix;
}

/// The sum over the wave's lanes below this one. All lanes must call it.
RF_DEVICE int SumBelow(int value) {
  int sum = value;
  for (int distance = 1; distance < WaveSize(); distance *= 2) {
    const int other = Shuffle(sum, (Lane() - distance) & (WaveSize() - 1));
    if (Lane() >= distance) sum += other;
  }
  return sum - value;
}

/// best[0 .. k) = the block's keys from `least` on, at most k, in any order, and behind them 0. All threads must call
/// it; what is in `best` may be read until they do.
RF_DEVICE void WriteFrom(const Key (&keys)[kHeld], Key least, int k, Key* best, ChoiceShared& shared) {
  if (least == 0) least = 1;
  int n = 0;
  RF_UNROLL
  for (int i = 0; i < kHeld; ++i) n += keys[i] >= least ? 1 : 0;
  const int n_below = SumBelow(n);
  if (Lane() == WaveSize() - 1) shared.n_of_wave[WaveIndex()] = n_below + n;
  BlockBarrier();
  int place = n_below;
  int n_all = 0;
  for (int wave = 0; wave < WavesInBlock(); ++wave) {
    if (wave < WaveIndex()) place += shared.n_of_wave[wave];
    n_all += shared.n_of_wave[wave];
  }
  RF_UNROLL
  for (int i = 0; i < kHeld; ++i) {
    if (keys[i] >= least) best[place++] = keys[i];
  }
  for (int i = n_all + static_cast<int>(threadIdx.x); i < k; i += kThreads) best[i] = 0;
}

/// Makes the row's changes of tokens in [begin, end). A token's changes lie together: whoever has the first makes all.
RF_DEVICE void MakeChanges(const BatchView& batch, int64_t row, float* logits, int begin, int end) {
  const int first = batch.first_change[row];
  const int n = batch.first_change[row + 1] - first;
  const LogitChange* changes = batch.changes + first;
  for (int i = static_cast<int>(threadIdx.x); i < n; i += kThreads) {
    const int token = changes[i].token;
    if (token < begin || token >= end || (i > 0 && changes[i - 1].token == token)) continue;
    float logit = logits[token];
    for (int j = i; j < n && changes[j].token == token; ++j) logit = ChangedLogit(logit, changes[j]);
    logits[token] = logit;
  }
}

RF_KERNEL RF_LAUNCH_BOUNDS(kThreads) ChooseInTiles(BestLogits::Args args, BatchView batch, Scratch scratch) {
  AdmitNext();
  AwaitPrevious();
  auto& shared = Shared<ChoiceShared>();
  const auto tile = static_cast<int>(blockIdx.x);
  const auto row_of_launch = static_cast<int64_t>(blockIdx.y);
  const int64_t row = scratch.first_row + row_of_launch;
  if (batch.best_factors[row] < 0.0f) return;
  const auto n_vocab = static_cast<int>(args.logits.n_cols);
  const auto k = static_cast<int>(args.ids.n_cols);
  const int begin = tile * kTile;
  const int end = n_vocab - begin < kTile ? n_vocab : begin + kTile;
  float* logits = RowOf(args.logits, row);
  MakeChanges(batch, row, logits, begin, end);
  BlockBarrier();
  Key keys[kHeld];
  Key largest = 0;
  RF_UNROLL
  for (int i = 0; i < kHeld; ++i) {
    const int id = begin + i * kThreads + static_cast<int>(threadIdx.x);
    keys[i] = id < end ? KeyOf(logits[id], id) : 0;
    largest = keys[i] > largest ? keys[i] : largest;
  }
  const int64_t tile_of_launch = row_of_launch * scratch.n_tiles + tile;
  largest = WaveMax(largest);
  if (Lane() == 0) scratch.largest[tile_of_launch * WavesInBlock() + WaveIndex()] = largest;
  const Key least = ReachedBy(keys, k, shared);
  WriteFrom(keys, least, k, scratch.keys + tile_of_launch * k, shared);
}

/// The row's best from those of its tiles: as many as a block holds, then the best so far and more, until none is left.
RF_DEVICE void ChooseAmong(const Key* candidates, int n, int k, ChoiceShared& shared) {
  const auto thread = static_cast<int>(threadIdx.x);
  int n_carried = 0;
  for (int next = 0; next < n; next += kTile - n_carried, n_carried = k) {
    Key keys[kHeld];
    RF_UNROLL
    for (int i = 0; i < kHeld; ++i) {
      const int slot = i * kThreads + thread;
      const int candidate = next + slot - n_carried;
      keys[i] = slot < n_carried ? shared.best[slot] : candidate < n ? candidates[candidate] : 0;
    }
    const Key least = ReachedBy(keys, k, shared);
    WriteFrom(keys, least, k, shared.best, shared);
    BlockBarrier();
  }
}

/// A key's place is the number of better ones.
RF_DEVICE void WriteSorted(const BestLogits::Args& args, int64_t row, int k, const ChoiceShared& shared) {
  const auto i = static_cast<int>(threadIdx.x);
  if (i >= k) return;
  const Key key = shared.best[i];
  int place = 0;
  for (int j = 0; j < k; ++j) place += shared.best[j] > key ? 1 : 0;
  if (key == 0) place = i;  // they lie behind the others
  (static_cast<int32_t*>(args.ids.data) + row * args.ids.row_stride)[place] = key == 0 ? -1 : IdOf(key);
  RowOf(args.values, row)[place] = key == 0 ? -INFINITY : LogitOf(key);
}

struct SumShared {
  float lanes[kThreads];
};

RF_DEVICE void SumParts(const BestLogits::Args& args, int64_t row, int block, Key largest_key, float factor,
                        SumShared& shared) {
  const auto thread = static_cast<int>(threadIdx.x);
  const int lane = thread % kLanes;
  const int part = block * kPartsOfBlock + thread / kLanes;
  const auto n_vocab = static_cast<int>(args.logits.n_cols);
  const int begin = part * static_cast<int>(BestLogits::kPart);
  const int end =
      begin + static_cast<int>(BestLogits::kPart) < n_vocab ? begin + static_cast<int>(BestLogits::kPart) : n_vocab;
  const float* logits = RowOf(args.logits, row);
  const float largest = largest_key == 0 ? 0.0f : LogitOf(largest_key);
  [[maybe_unused]] constexpr int kUnrolled = 8;
  float sum = 0.0f;
  RF_UNROLL_LOADS
  for (int i = begin + lane; i < end; i += kLanes) sum += FastExp2((logits[i] - largest) * factor);
  shared.lanes[thread] = sum;
  BlockBarrier();
  if (lane != 0 || begin >= n_vocab) return;
  double of_part = 0.0;
  for (int i = 0; i < kLanes; ++i) of_part += static_cast<double>(shared.lanes[thread + i]);
  RowOf(args.sums, row)[part] = static_cast<float>(of_part);
}

union FinishShared {
  ChoiceShared choice;
  SumShared sum;
};

RF_KERNEL RF_LAUNCH_BOUNDS(kThreads) Finish(BestLogits::Args args, BatchView batch, Scratch scratch) {
  AdmitNext();
  AwaitPrevious();
  auto& shared = Shared<FinishShared>();
  const auto row_of_launch = static_cast<int64_t>(blockIdx.y);
  const int64_t row = scratch.first_row + row_of_launch;
  const float factor = batch.best_factors[row];
  if (factor < 0.0f) return;
  if (blockIdx.x == 0) {
    const auto k = static_cast<int>(args.ids.n_cols);
    ChooseAmong(scratch.keys + row_of_launch * scratch.n_tiles * k, scratch.n_tiles * k, k, shared.choice);
    WriteSorted(args, row, k, shared.choice);
    return;
  }
  if (factor == 0.0f) return;
  Key largest = 0;
  const int n_largest = scratch.n_tiles * WavesInBlock();
  for (int i = Lane(); i < n_largest; i += WaveSize()) {
    const Key of_wave = scratch.largest[row_of_launch * n_largest + i];
    largest = of_wave > largest ? of_wave : largest;
  }
  SumParts(args, row, static_cast<int>(blockIdx.x) - 1, WaveMax(largest), factor, shared.sum);
}

int64_t TilesOf(const BestLogits::Args& args) {
  return CeilDivide(args.logits.n_cols, kTile);
}

int64_t RowsOfLaunch(const BestLogits::Args& args) {
  return args.logits.n_rows < kMostRows ? args.logits.n_rows : kMostRows;
}

void LaunchBestLogits(void* native, const BestLogits::Args& args) {
  Scratch scratch{};
  scratch.n_tiles = static_cast<int>(TilesOf(args));
  scratch.keys = static_cast<Key*>(static_cast<GpuContext*>(native)->workspace);
  scratch.largest = scratch.keys + RowsOfLaunch(args) * scratch.n_tiles * args.ids.n_cols;
  const auto n_sum_blocks = static_cast<uint32_t>(CeilDivide(args.sums.n_cols, kPartsOfBlock));
  for (int64_t first = 0; first < args.logits.n_rows; first += kMostRows) {
    scratch.first_row = static_cast<int>(first);
    const int64_t left = args.logits.n_rows - first;
    const auto n_rows = static_cast<uint32_t>(left < kMostRows ? left : kMostRows);
    LaunchEarly(native, ChooseInTiles, dim3(static_cast<uint32_t>(scratch.n_tiles), n_rows), kThreads,
                sizeof(ChoiceShared), args, *args.batch, scratch);
    LaunchEarly(native, Finish, dim3(1 + n_sum_blocks, n_rows), kThreads, sizeof(FinishShared), args, *args.batch,
                scratch);
  }
}

size_t WorkspaceBytes(const BestLogits::Args& args, int /*n_threads*/) {
  return static_cast<size_t>(RowsOfLaunch(args) * TilesOf(args) * (args.ids.n_cols + kMostWaves)) * sizeof(Key);
}

}  // namespace

void RegisterBestLogits(const GpuTraits& /*traits*/, KernelTable& table) {
  table.best_logits.Set(Format::kF32, {LaunchBestLogits, WorkspaceBytes, "hip/best_logits"});
}

}  // namespace rf::hip
