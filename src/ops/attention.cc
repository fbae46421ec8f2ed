#include "ops/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/check_util.h"
#include "ops/reference_util.h"

namespace rf {
namespace {

// Slope of a head as Press et al. define it, also for head counts that are no power of two.
double AlibiSlope(int n_heads, int head, double max_bias) {
  if (max_bias == 0.0) return 0.0;
  const int power = 1 << static_cast<int>(std::floor(std::log2(n_heads)));
  if (head < power) return std::pow(2.0, -max_bias * (head + 1) / power);
  return std::pow(2.0, -max_bias / 2.0 * (2 * (head - power) + 1) / power);
}

struct Query {
  const Attention::Args& args;
  int64_t token;
  int32_t head;
};

// Unnormalized scores of positions first..last.
std::vector<double> Scores(const Query& query, int32_t first, int32_t last) {
  const Attention::Args& args = query.args;
  const KvLayerView& kv = args.kv;
  const Attention::Attrs& attrs = args.attrs;
  const int32_t kv_head = query.head / (attrs.n_heads / kv.n_kv_heads);
  const float* q = Row(args.q, query.token) + static_cast<int64_t>(query.head) * kv.head_dim;
  const double slope = AlibiSlope(attrs.n_heads, query.head, attrs.alibi_max_bias);
  std::vector<float> k(static_cast<size_t>(kv.head_dim));
  std::vector<double> scores;
  for (int32_t p = first; p <= last; ++p) {
    const int32_t page = PageOf(*args.batch, kv, args.batch->sequence_of[query.token], p);
    GetFormatInfo(kv.format).unpack(KvSlot(kv, kv.k, page, kv_head, p % kv.page_tokens), kv.head_dim, k.data());
    double sum = 0.0;
    for (int32_t i = 0; i < kv.head_dim; ++i) sum += static_cast<double>(q[i]) * k[static_cast<size_t>(i)];
    double score = sum * attrs.scale;
    if (attrs.soft_cap != 0.0f) score = attrs.soft_cap * std::tanh(score / attrs.soft_cap);
    scores.push_back(score - slope * (last - p));
  }
  return scores;
}

// Turns scores into probabilities; a sink takes its share and gives nothing.
void Softmax(std::vector<double>& scores, const float* sink) {
  double largest = *std::max_element(scores.begin(), scores.end());
  if (sink != nullptr) largest = std::max(largest, static_cast<double>(*sink));
  double sum = sink == nullptr ? 0.0 : std::exp(*sink - largest);
  for (double& score : scores) sum += score = std::exp(score - largest);
  for (double& score : scores) score /= sum;
}

void AttendOne(const Query& query) {
  const Attention::Args& args = query.args;
  const KvLayerView& kv = args.kv;
  const int32_t last = args.batch->positions[query.token];
  const int32_t first = args.attrs.window > 0 ? std::max(0, last - args.attrs.window + 1) : 0;
  std::vector<double> p = Scores(query, first, last);
  Softmax(p, args.sinks.data == nullptr ? nullptr : Vector(args.sinks) + query.head);

  const int32_t kv_head = query.head / (args.attrs.n_heads / kv.n_kv_heads);
  std::vector<double> sum(static_cast<size_t>(kv.head_dim), 0.0);
  std::vector<float> v(static_cast<size_t>(kv.head_dim));
  for (int32_t i = first; i <= last; ++i) {
    const int32_t page = PageOf(*args.batch, kv, args.batch->sequence_of[query.token], i);
    GetFormatInfo(kv.format).unpack(KvSlot(kv, kv.v, page, kv_head, i % kv.page_tokens), kv.head_dim, v.data());
    for (size_t d = 0; d < sum.size(); ++d) sum[d] += p[static_cast<size_t>(i - first)] * v[d];
  }
  float* y = Row(args.y, query.token) + static_cast<int64_t>(query.head) * kv.head_dim;
  for (size_t d = 0; d < sum.size(); ++d) y[d] = static_cast<float>(sum[d]);
}

}  // namespace

Status Attention::Check(const Args& args) {
  RF_RETURN_IF_ERROR(CheckKv("attention", args.kv));
  RF_RETURN_IF_ERROR(CheckThat(args.attrs.n_heads > 0 && args.attrs.n_heads % args.kv.n_kv_heads == 0, "attention",
                               "n_heads must be a multiple of n_kv_heads"));
  RF_RETURN_IF_ERROR(CheckThat(args.attrs.window >= 0 && args.attrs.soft_cap >= 0.0f, "attention",
                               "window and soft_cap must not be negative"));
  const WantedShape shape{args.batch->n_tokens, static_cast<int64_t>(args.attrs.n_heads) * args.kv.head_dim};
  RF_RETURN_IF_ERROR(CheckTensor("attention", "q", args.q, shape));
  if (args.sinks.data != nullptr) RF_RETURN_IF_ERROR(CheckVector("attention", "sinks", args.sinks, args.attrs.n_heads));
  return CheckTensor("attention", "y", args.y, shape);
}

void Attention::Reference(const Args& args) {
  for (int64_t t = 0; t < args.q.n_rows; ++t) {
    for (int32_t h = 0; h < args.attrs.n_heads; ++h) AttendOne({args, t, h});
  }
}

}  // namespace rf
