#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/random.h"

namespace rf::conformance {
namespace {

Case<RopeTable> MakeCase(int32_t first_position, int32_t n_tokens, int32_t rope_dim, float magnitude) {
  Case<RopeTable> c{
      fmt::format("rope_table {} tokens from {}, rope_dim {}", n_tokens, first_position, rope_dim), {magnitude}, {}};
  Random random(c.name);
  const SequenceShape sequences[] = {{first_position, n_tokens}};
  c.operands.batch = MakeBatch(sequences);
  HostWeight f = random.Vector(rope_dim / 2, 0.0f, 0.0f);
  for (int32_t j = 0; j < rope_dim / 2; ++j) {
    const float frequency = std::pow(10000.0f, -2.0f * static_cast<float>(j) / static_cast<float>(rope_dim));
    memcpy(&f.bytes[static_cast<size_t>(j) * 4], &frequency, sizeof(frequency));
  }
  c.operands.weight[0] = std::move(f);
  c.operands.out[0] = Output(n_tokens, rope_dim, n_tokens % 3);
  return c;
}

}  // namespace

template <>
std::vector<Case<RopeTable>> CasesOf<RopeTable>::Make(Format) {
  std::vector<Case<RopeTable>> cases;
  for (int32_t rope_dim : {2, 22, 64, 80, 128, 256}) {
    for (int32_t n_tokens : {1, 3, 40}) {
      cases.push_back(MakeCase(0, n_tokens, rope_dim, 1.0f));
      cases.push_back(MakeCase(4095, n_tokens, rope_dim, 1.19f));
      cases.push_back(MakeCase(1048576, n_tokens, rope_dim, 1.0f));
    }
  }
  return cases;
}

}  // namespace rf::conformance
