#include <fmt/format.h>

#include "conformance/case.h"
#include "conformance/cases/weight_shapes.h"
#include "conformance/random.h"

namespace rf::conformance {
namespace {

struct Shape {
  int32_t n_rows;
  int64_t d_in;
  int64_t d_out;
};

struct Extras {
  bool bias = false;
  bool residual = false;
  bool in_place = false;  // y is the residual
  bool outliers = false;  // a few activations are a thousand times larger
  int64_t gap = 0;
};

std::string NameOf(const Shape& shape, const Extras& extras) {
  const char* residual = !extras.residual ? "" : extras.in_place ? ", residual in place" : ", residual";
  return fmt::format("matmul [{}, {}] x {}{}{}{}{}", shape.n_rows, shape.d_in, shape.d_out, extras.bias ? ", bias" : "",
                     residual, extras.outliers ? ", outliers" : "", extras.gap != 0 ? ", gaps" : "");
}

HostTensor Activations(Random& random, const Shape& shape, const Extras& extras) {
  HostTensor x = random.Tensor(shape.n_rows, shape.d_in, 1.0f, extras.gap);
  for (int i = 0; extras.outliers && i < 1 + shape.n_rows; ++i) {
    x.Set(random.Below(shape.n_rows), random.Below(static_cast<int32_t>(shape.d_in)), random.Normal(1000.0f));
  }
  return x;
}

Case<MatMul> MakeCase(Format format, const Shape& shape, const Extras& extras) {
  Case<MatMul> c{NameOf(shape, extras), {1}, {}};
  Random random(c.name);
  c.bounds[0] = ProductBound(format);
  c.operands.in[0] = Activations(random, shape, extras);
  c.operands.weight[0] = random.Weight(format, 1, shape.d_out, shape.d_in);
  if (extras.bias) c.operands.weight[1] = random.Vector(shape.d_out, 0.0f, 2.0f);
  if (extras.residual) c.operands.in[1] = random.Tensor(shape.n_rows, shape.d_out, 2.0f, extras.gap);
  c.operands.out_is_in[0] = extras.in_place ? 1 : -1;
  if (!extras.in_place) c.operands.out[0] = Output(shape.n_rows, shape.d_out, extras.gap);
  c.operands.batch = MakeBatch(shape.n_rows);
  return c;
}

// Q, K and V in formats of their own, as mixed files have them.
Case<MatMul> MakeMix(const std::vector<Format>& formats, int32_t n_rows, int64_t d_in) {
  Case<MatMul> c{
      fmt::format("matmul mix of {} rows, {} columns:", n_rows, d_in), {static_cast<int32_t>(formats.size())}, {}};
  for (Format format : formats) c.name += fmt::format(" {}", GetFormatInfo(format).name);
  Random random(c.name);
  c.operands.in[0] = random.Tensor(n_rows, d_in);
  for (size_t p = 0; p < formats.size(); ++p) {
    c.bounds[p] = ProductBound(formats[p]);
    const int64_t d_out = 40 - 11 * static_cast<int64_t>(p);
    c.operands.weight[2 * p] = random.Weight(formats[p], 1, d_out, d_in);
    if (p == 1) c.operands.weight[2 * p + 1] = random.Vector(d_out, 0.0f, 1.0f);
    c.operands.out[p] = Output(n_rows, d_out, static_cast<int64_t>(p));
  }
  c.operands.batch = MakeBatch(n_rows);
  return c;
}

void AddMixes(Format format, std::vector<Case<MatMul>>& cases) {
  const int64_t d_in = GetFormatInfo(format).block_elements < 128 ? 192 : 256;
  for (int32_t n_rows : {1, 6, 40}) {
    cases.push_back(MakeMix({format, format}, n_rows, d_in));
    cases.push_back(MakeMix({format, Format::kF32}, n_rows, d_in));
    cases.push_back(MakeMix({Format::kF16, format, Format::kQ8_0}, n_rows, d_in));
    cases.push_back(MakeMix({Format::kQ4_0, Format::kBF16, format}, n_rows, d_in));
  }
}

}  // namespace

template <>
std::vector<Case<MatMul>> CasesOf<MatMul>::Make(Format format) {
  const int64_t few = FewColumns(format);
  const int64_t many = ManyColumns(format);
  std::vector<Case<MatMul>> cases;
  // Every number of rows up to several tiles: each tile size, and the paths that unpack once.
  for (int32_t n_rows = 1; n_rows <= 40; ++n_rows) {
    if (IsSmallRun() && n_rows > 9 && n_rows != 17 && n_rows != 33) continue;
    cases.push_back(MakeCase(format, {n_rows, few, 17}, {}));
  }
  for (int64_t d_out : {1, 2, 15, 16, 31, 48}) cases.push_back(MakeCase(format, {3, few, d_out}, {}));
  for (int32_t n_rows : {1, 5, 23}) {
    cases.push_back(MakeCase(format, {n_rows, many, 50}, {}));
    cases.push_back(MakeCase(format, {n_rows, many, 33}, {.bias = true, .residual = true, .outliers = true}));
    cases.push_back(MakeCase(format, {n_rows, few, 19}, {.bias = true}));
    cases.push_back(MakeCase(format, {n_rows, few, 32}, {.residual = true, .gap = 5}));
    cases.push_back(MakeCase(format, {n_rows, few, 35}, {.residual = true, .in_place = true}));
    cases.push_back(MakeCase(format, {n_rows, few, 16}, {.bias = true, .residual = true, .in_place = true, .gap = 16}));
  }
  // Several tiles of outputs and of rows, and the columns' last stretch shorter.
  for (int32_t n_rows : {40, 72}) cases.push_back(MakeCase(format, {n_rows, many, 150}, {.residual = true}));
  // More rows than one task takes, and a rest of a few rows.
  cases.push_back(MakeCase(format, {IsSmallRun() ? 131 : 259, few, 18}, {.residual = true}));
  AddMixes(format, cases);
  return cases;
}

}  // namespace rf::conformance
