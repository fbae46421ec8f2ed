// Each op's Reference against numpy in float64 (tools/make_op_golden.py): what the conformance suite compares
// everything with is itself compared with something that nobody derived from it.
#include <cmath>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/half.h"
#include "conformance/random.h"
#include "conformance/run.h"

namespace rf::conformance {
namespace {

using nlohmann::json;

void ReadAttrs(const json& j, Embed::Attrs& a) {
  a.scale = j["scale"];
}
void ReadAttrs(const json& j, RmsNorm::Attrs& a) {
  a = {j["eps"], j["n_groups"]};
}
void ReadAttrs(const json& j, MatMul::Attrs& a) {
  a.n_parts = j["n_parts"];
}
void ReadAttrs(const json& j, RopeTable::Attrs& a) {
  a.magnitude = j["magnitude"];
}
void ReadAttrs(const json& j, Rope::Attrs& a) {
  a = {j["n_heads"], j["head_dim"], j["rope_dim"], j["halves"] ? RopePairing::kHalves : RopePairing::kAdjacent};
}
void ReadAttrs(const json& j, Attention::Attrs& a) {
  a = {j["n_heads"], j["scale"], j["window"], j["soft_cap"], j["alibi_max_bias"]};
}
void ReadAttrs(const json& j, Glu::Attrs& a) {
  a.activation = j["activation"] == "silu" ? Activation::kSilu : Activation::kGeluTanh;
}
void ReadAttrs(const json& j, SoftCap::Attrs& a) {
  a = {j["cap"], j["scale"]};
}
void ReadAttrs(const json& j, MoeRoute::Attrs& a) {
  a = {j["n_used"], j["normalize"], j["scale"]};
}
void ReadAttrs(const json&, KvStore::Attrs&) {}
void ReadAttrs(const json&, Add::Attrs&) {}
void ReadAttrs(const json&, GatherRows::Attrs&) {}
void ReadAttrs(const json&, MoeMatMul::Attrs&) {}
void ReadAttrs(const json&, MoeCombine::Attrs&) {}
void ReadAttrs(const json&, BestLogits::Attrs&) {}

HostTensor ReadTensor(const json& j) {
  const bool integers = j["integers"];
  HostTensor tensor = Output(j["rows"], j["cols"], 0, integers ? Format::kI32 : Format::kF32);
  for (size_t i = 0; i < tensor.words.size(); ++i) {
    tensor.words[i] = integers ? static_cast<uint32_t>(j["values"][i].get<int32_t>())
                               : FloatToBits(static_cast<float>(j["values"][i].get<double>()));
  }
  return tensor;
}

HostWeight ReadWeight(const json& j, int64_t n_matrices) {
  const HostTensor values = ReadTensor(j);
  HostWeight weight{Format::kF32, n_matrices, values.n_rows / n_matrices, values.n_cols, {}};
  weight.bytes.resize(values.words.size() * 4);
  memcpy(weight.bytes.data(), values.words.data(), weight.bytes.size());
  return weight;
}

std::vector<uint8_t> ReadCacheHalf(const json& j) {
  std::vector<uint8_t> bytes;
  for (double value : j.get<std::vector<double>>()) {
    const uint32_t bits = FloatToBits(static_cast<float>(value));
    const auto* begin = reinterpret_cast<const uint8_t*>(&bits);
    bytes.insert(bytes.end(), begin, begin + sizeof(bits));
  }
  return bytes;
}

HostKv ReadKv(const json& j) {
  return {Format::kF32,  j["n_pages"],          j["n_kv_heads"],      j["page_tokens"],
          j["head_dim"], ReadCacheHalf(j["k"]), ReadCacheHalf(j["v"])};
}

HostBatch ReadBatch(const json& j) {
  HostBatch batch;
  batch.positions = j["positions"].get<std::vector<int32_t>>();
  batch.sequence_of = j["sequence_of"].get<std::vector<int32_t>>();
  batch.token_ids = j.value("token_ids", std::vector<int32_t>(batch.positions.size(), 0));
  batch.output_rows = j.value("output_rows", std::vector<int32_t>());
  batch.page_table = j.value("page_table", std::vector<int32_t>());
  batch.page_table_stride = j.value("page_table_stride", 0);
  batch.best_factors = j.value("best_factors", std::vector<float>());
  batch.first_change = j.value("first_change", std::vector<int32_t>());
  for (const json& change : j.value("changes", json::array())) {
    const auto kind = change[1] == "add"        ? LogitChangeKind::kAdd
                      : change[1] == "penalize" ? LogitChangeKind::kPenalize
                                                : LogitChangeKind::kSet;
    batch.changes.push_back({change[0], kind, change[2]});
  }
  for (int32_t t = 0; t < batch.n_tokens(); ++t) {
    if (t == 0 || batch.sequence_of[t] != batch.sequence_of[t - 1]) {
      batch.first_token.push_back(t);
      batch.kv_length.push_back(0);
    }
    batch.kv_length.back() = batch.positions[t] + 1;
  }
  batch.first_token.push_back(batch.n_tokens());
  return batch;
}

template <typename Op>
Case<Op> ReadCase(const json& j, const std::string& name) {
  Case<Op> c{name, {}, {}};
  ReadAttrs(j["attrs"], c.attrs);
  for (size_t i = 0; i < j["in"].size(); ++i) c.operands.in[i] = ReadTensor(j["in"][i]);
  const int64_t n_matrices = j["attrs"].value("n_matrices", 1);
  for (size_t i = 0; i < j["weight"].size(); ++i) {
    if (!j["weight"][i].is_null()) c.operands.weight[i] = ReadWeight(j["weight"][i], n_matrices);
  }
  for (size_t i = 0; i < j["out"].size(); ++i) {
    const HostTensor expected = ReadTensor(j["out"][i]);
    c.operands.out[i] = Output(expected.n_rows, expected.n_cols, 0, expected.format);
  }
  if constexpr (std::is_same_v<Op, Rope>) c.operands.out_is_in[0] = 1;
  if constexpr (std::is_same_v<Op, BestLogits>) c.operands.out_is_in[3] = 0;
  if (j.contains("kv")) c.operands.kv = ReadKv(j["kv"]);
  const int32_t n_tokens = c.operands.in[0] ? static_cast<int32_t>(c.operands.in[0]->n_rows) : 0;
  c.operands.batch = j.contains("batch") ? ReadBatch(j["batch"]) : MakeBatch(n_tokens);
  return c;
}

void ExpectEqualOut(const json& expected, const std::vector<uint32_t>& got) {
  ASSERT_EQ(expected["values"].size(), got.size());
  double largest = 0.0;
  for (const json& value : expected["values"]) largest = std::max(largest, std::fabs(value.get<double>()));
  for (size_t i = 0; i < got.size(); ++i) {
    const double wanted = expected["values"][i];
    if (expected["integers"]) {
      ASSERT_EQ(static_cast<double>(static_cast<int32_t>(got[i])), wanted) << "element " << i;
    } else {
      // Relative to the value; where terms cancel, to a thousandth of the output's largest.
      ASSERT_NEAR(BitsToFloat(got[i]), wanted, 1e-6 * std::max(std::fabs(wanted), 1e-3 * largest)) << "element " << i;
    }
  }
}

template <typename Op>
void TestOp(const std::string& name) {
  std::ifstream file(std::string(RF_SOURCE_DIR) + "/tests/data/ops/" + name + ".json");
  ASSERT_TRUE(file) << "no golden file for " << name << ": add the op to tools/make_op_golden.py";
  const json cases = json::parse(file);
  ASSERT_FALSE(cases.empty());
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(name + ", case " + std::to_string(i));
    const Outputs got = RunReference(ReadCase<Op>(cases[i], name));
    for (size_t o = 0; o < cases[i]["out"].size(); ++o) ExpectEqualOut(cases[i]["out"][o], got.out[o]);
    if (!cases[i].contains("kv_out")) continue;
    EXPECT_EQ(got.k, ReadCacheHalf(cases[i]["kv_out"]["k"]));
    EXPECT_EQ(got.v, ReadCacheHalf(cases[i]["kv_out"]["v"]));
  }
}

#define RF_OP(Name, file)         \
  TEST(ReferenceIsNumpys, Name) { \
    TestOp<Name>(#file);          \
  }
#include "ops/ops.def"
#undef RF_OP

}  // namespace
}  // namespace rf::conformance
