// Every op of ops.def x every key format x every instruction set and GPU, against the op's reference in double; and the
// contracts that a row's result does not depend on what else is computed, nor on the number of threads. One test each,
// registered by going through the lists.
#include <algorithm>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include <gtest/gtest.h>

#include "conformance/case.h"
#include "conformance/run.h"
#include "ops/kv_formats.h"

namespace rf::conformance {
namespace {

struct Key {
  std::string machine;
  Format format;
};

bool CanHaveKey(KeyKind kind, Format format) {
  if (kind == KeyKind::kActivation) return format == Format::kF32;
  return kind == KeyKind::kWeight || IsKvFormat(format);
}

// Cases and the reference's results, which all instruction sets share.
template <typename Op>
struct Prepared {
  std::vector<Case<Op>> cases;
  std::vector<Outputs> wanted;
};

// Every fourth case, and the last one, which often has the most rows.
template <typename Op>
std::vector<Case<Op>> FewOf(std::vector<Case<Op>> all) {
  std::vector<Case<Op>> few;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i % 4 == 2 || i + 1 == all.size()) few.push_back(std::move(all[i]));
  }
  return few;
}

template <typename Op>
const Prepared<Op>& PrepareCases(Format format) {
  static std::map<Format, Prepared<Op>> all;
  if (const auto found = all.find(format); found != all.end()) return found->second;
  Prepared<Op>& prepared = all[format];
  prepared.cases = CasesOf<Op>::Make(format);
  if (IsTinyRun()) prepared.cases = FewOf(std::move(prepared.cases));
  for (const Case<Op>& c : prepared.cases) prepared.wanted.push_back(RunReference(c));
  return prepared;
}

template <typename Op>
class OpTest : public testing::Test {
 public:
  explicit OpTest(Key key) : key_(std::move(key)) {}

 protected:
  // The machine with n_threads; null after a skip in words.
  Machine* Start(int n_threads) {
    Machine* machine = MachineOf(key_.machine, n_threads);
    if (machine == nullptr) Skip("this computer has no " + key_.machine);
    return machine;
  }
  static void Skip(const std::string& reason) { GTEST_SKIP() << reason; }

  Key key_;
};

// Whether the machine computes the case in bfloat16: many rows, for attention of one sequence.
template <typename Op>
bool Rounds(const std::string& machine, const Case<Op>& c) {
  const HostBatch& batch = c.operands.batch;
  int32_t n_together = batch.n_tokens();
  if constexpr (std::is_same_v<Op, Attention>) {
    n_together = 0;
    for (size_t s = 0; s + 1 < batch.first_token.size(); ++s) {
      n_together = std::max(n_together, batch.first_token[s + 1] - batch.first_token[s]);
    }
  }
  return IsBFloat16Machine(machine) && n_together >= kBFloat16Rows;
}

// By the case's bounds, or those of activations in bfloat16 (ARCHITECTURE.md, "Numbers"). Both factors of a product are
// then rounded to 8 bits (NMSE 4.4e-6); in a row of few outputs chance can make the sums small and the errors large.
template <typename Op>
void ExpectNearOn(const std::string& name, const Machine& machine, const Case<Op>& c, const Outputs& got,
                  const Outputs& wanted) {
  constexpr double kBFloat16Bound = 1e-5;
  constexpr double kRowSlack = 100.0;
  Tolerance tolerance = ToleranceOn(machine, c.bounds, c.operands.batch.n_tokens());
  if constexpr (std::is_same_v<Op, Attention>) {
    tolerance = AttentionToleranceOn(machine, c.bounds, c.operands.kv->format);
  }
  for (size_t i = 0; Rounds(name, c) && i < c.bounds.size(); ++i) {
    if (c.bounds[i] == kSameBits) continue;
    tolerance.all_rows[i] = std::max(c.bounds[i], kBFloat16Bound);
    tolerance.a_row[i] = kRowSlack * tolerance.all_rows[i];
  }
  ExpectNear(c.operands, tolerance, got, wanted);
}

template <typename Op>
class MatchesReference final : public OpTest<Op> {
 public:
  using OpTest<Op>::OpTest;
  void TestBody() override {
    Machine* machine = this->Start(2);
    if (machine == nullptr) return;
    const Prepared<Op>& prepared = PrepareCases<Op>(this->key_.format);
    ASSERT_FALSE(prepared.cases.empty());
    for (size_t i = 0; i < prepared.cases.size(); ++i) {
      const Case<Op>& c = prepared.cases[i];
      SCOPED_TRACE(c.name);
      ExpectNearOn(this->key_.machine, *machine, c, RunOn(*machine, c), prepared.wanted[i]);
    }
  }
};

// Adds the rows of `part` behind those of `all`, and takes over its cache.
void Append(Outputs& all, Outputs part) {
  all.k = std::move(part.k);
  all.v = std::move(part.v);
  for (int i = 0; i < Operands::kMaxOutputs; ++i) {
    all.out[i].insert(all.out[i].end(), part.out[i].begin(), part.out[i].end());
  }
}

template <typename Op>
class RowsStandAlone final : public OpTest<Op> {
 public:
  using OpTest<Op>::OpTest;
  void TestBody() override {
    Machine* machine = this->Start(2);
    if (machine == nullptr) return;
    int n_compared = 0;
    for (const Case<Op>& c : PrepareCases<Op>(this->key_.format).cases) {
      const int32_t n_tokens = c.operands.batch.n_tokens();
      if (n_tokens == 1) continue;
      const Outputs whole = RunOn(*machine, c);
      for (int32_t size : PieceSizes(c)) {
        ASSERT_EQ(RunPieces(*machine, c, size), whole) << c.name << " in pieces of " << size;
        ++n_compared;
      }
    }
    EXPECT_GT(n_compared, 0);
  }

 private:
  // Tokens of a piece. In bfloat16 whole and pieces must be of the same kind: all exact or all rounded.
  std::vector<int32_t> PieceSizes(const Case<Op>& c) const {
    const int32_t n_tokens = c.operands.batch.n_tokens();
    if (Rounds(this->key_.machine, c)) {
      return n_tokens < 2 * kBFloat16Rows ? std::vector<int32_t>{} : std::vector<int32_t>{(n_tokens + 1) / 2};
    }
    const int32_t most_alone = IsTinyRun() ? 9 : 64;
    std::vector<int32_t> sizes;
    for (int32_t size : {1, 7, 64}) {
      if (size < n_tokens && (size > 1 || n_tokens <= most_alone)) sizes.push_back(size);
    }
    return sizes;
  }

  // Piece after piece: each finds the cache as the one before left it.
  static Outputs RunPieces(Machine& machine, const Case<Op>& c, int32_t size) {
    const int32_t n_tokens = c.operands.batch.n_tokens();
    Outputs pieces;
    for (int32_t first = 0; first < n_tokens; first += size) {
      Case<Op> piece = c;
      piece.operands = TakeTokens(c.operands, first, std::min(size, n_tokens - first));
      piece.name += " from " + std::to_string(first);
      if (first > 0 && piece.operands.kv) {
        piece.operands.kv->k = pieces.k;
        piece.operands.kv->v = pieces.v;
      }
      Append(pieces, RunOn(machine, piece));
    }
    return pieces;
  }
};

template <typename Op>
class ThreadsDoNotMatter final : public OpTest<Op> {
 public:
  using OpTest<Op>::OpTest;
  void TestBody() override {
    Machine* one = this->Start(1);
    if (one == nullptr) return;
    for (const Case<Op>& c : PrepareCases<Op>(this->key_.format).cases) {
      const Outputs alone = RunOn(*one, c);
      for (int n_threads : {2, 3}) {
        ASSERT_EQ(RunOn(*MachineOf(this->key_.machine, n_threads), c), alone) << c.name << " with " << n_threads;
      }
    }
  }
};

// Only for ops that read the cache and write elsewhere.
template <typename Op>
class PagesDoNotMatter final : public OpTest<Op> {
 public:
  using OpTest<Op>::OpTest;
  void TestBody() override {
    Machine* machine = this->Start(2);
    if (machine == nullptr) return;
    for (const Case<Op>& c : PrepareCases<Op>(this->key_.format).cases) {
      const Outputs before = RunOn(*machine, c);
      for (int32_t page_tokens : {1, 13, 256}) {
        Case<Op> other = c;
        other.operands = RelayPages(c.operands, page_tokens, static_cast<uint64_t>(page_tokens));
        other.name += ", then " + std::to_string(page_tokens);
        ASSERT_EQ(RunOn(*machine, other).out[0], before.out[0]) << other.name;
      }
    }
  }
};

template <typename Test>
void Register(const std::string& suite, const Key& key, std::string_view op) {
  const std::string name = std::string(op) + "_" + std::string(GetFormatInfo(key.format).name) + "_" + key.machine;
  testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                        [key]() -> testing::Test* { return new Test(key); });
}

// A kind of GPU that is not tested is counted as skipped, once and in words.
class GpuIsThere final : public testing::Test {
 public:
  explicit GpuIsThere(std::string missing) : missing_(std::move(missing)) {}
  void TestBody() override { GTEST_SKIP() << missing_; }

 private:
  std::string missing_;
};

// Their names; what is missing becomes a test that is skipped.
std::vector<std::string> RegisterMachines() {
  Machines machines = AllMachines();
  for (const std::string& reason : machines.missing) {
    testing::RegisterTest("GpuIsThere", reason.substr(0, reason.find(':')).c_str(), nullptr, nullptr, __FILE__,
                          __LINE__, [reason]() -> testing::Test* { return new GpuIsThere(reason); });
  }
  return std::move(machines.names);
}

/// The emulated GPU without matrix instructions differs from the first in what makes activations for products, and in
/// products.
constexpr char kEmulatedWithoutMatrices[] = "emulated:2";
template <typename Op>
constexpr bool kHasToDoWithProducts =
    std::is_same_v<Op, MatMul> || std::is_same_v<Op, MoeMatMul> || std::is_same_v<Op, RmsNorm> ||
    std::is_same_v<Op, Glu> || std::is_same_v<Op, Attention>;

// Whether there are kernels in bfloat16 for the op.
template <typename Op>
constexpr bool kHasBFloat16 =
    std::is_same_v<Op, MatMul> || std::is_same_v<Op, MoeMatMul> || std::is_same_v<Op, Attention>;

template <typename Op>
void RegisterOp(std::string_view name, const std::vector<std::string>& machines) {
  for (int f = 0; f < kNumFormats; ++f) {
    const auto format = static_cast<Format>(f);
    if (!CanHaveKey(Op::kKeyKind, format)) continue;
    for (const std::string& machine : machines) {
      if (machine == kEmulatedWithoutMatrices && !kHasToDoWithProducts<Op>) continue;
      if (IsBFloat16Machine(machine) && !kHasBFloat16<Op>) continue;  // the entries of the plain machine
      const Key key{machine, format};
      Register<MatchesReference<Op>>("MatchesReference", key, name);
      if (machine == "reference") continue;  // one plain loop: nothing there depends on the batch
      // Sanitizers look at accesses, not at values, and under them the emulator takes minutes for these.
      if (IsGpuMachine(machine) && IsSmallRun() && !IsTinyRun()) continue;
      Register<RowsStandAlone<Op>>("RowsStandAlone", key, name);
      if (!IsGpuMachine(machine)) Register<ThreadsDoNotMatter<Op>>("ThreadsDoNotMatter", key, name);
      if constexpr (std::is_same_v<Op, Attention>) Register<PagesDoNotMatter<Op>>("PagesDoNotMatter", key, name);
    }
  }
}

const bool kIsRegistered = [] {
  const std::vector<std::string> machines = RegisterMachines();
#define RF_OP(Name, file) RegisterOp<Name>(#file, machines);
#include "ops/ops.def"
#undef RF_OP
  return true;
}();

}  // namespace
}  // namespace rf::conformance
