#include "engine/parity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "engine/plan_runner.h"
#include "engine/tiny_model.h"

namespace rf {
namespace {

constexpr int32_t kPromptTokens = 5;
constexpr int32_t kSteps = 3;  // of one token: the first is recorded, the others replay
constexpr int32_t kPageTokens = 4;
constexpr int32_t kPages = 2;
static_assert(kPromptTokens + kSteps <= kPageTokens * kPages);

// Mean squared difference in mean squares of the logits. Activations in 8 bits and a cache in F16 stay below a tenth
// of it; one wrong op in all that the model computes is far above.
constexpr double kMaxNmse = 1e-3;

struct Ran {
  std::vector<float> logits;   // of all steps
  bool has_right_best = true;  // the best of each row are those
};

// Weights for whose sums the device is asked.
constexpr float kFactor = 1.0f;

// Tokens of one step: the next `n` of the only sequence, `done` are in the cache.
StepBatch BatchOf(int32_t done, int32_t n) {
  StepBatch batch;
  for (int32_t position = done; position < done + n; ++position) {
    batch.token_ids.push_back((position * 23 + 7) % TinyModel::kVocab);
    batch.positions.push_back(position);
    batch.sequence_of.push_back(0);
  }
  batch.first_token = {0, n};
  batch.kv_length = {done + n};
  for (int32_t page = kPages - 1; page >= 0; --page) batch.page_table.push_back(page);
  batch.page_table_stride = kPages;
  batch.output_rows = {n - 1};
  return batch;
}

bool AreBest(const BestOfRow& best, std::span<const float> row) {
  if (!std::all_of(row.begin(), row.end(), [](float x) { return std::isfinite(x); })) return false;
  std::vector<int32_t> order(row.size());
  std::iota(order.begin(), order.end(), 0);
  const auto logit = [row](int32_t id) { return row[static_cast<size_t>(id)]; };
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return logit(a) > logit(b); });
  if (best.ids.size() > order.size()) return false;
  for (size_t i = 0; i < best.ids.size(); ++i) {
    if (best.ids[i] != order[i] || best.logits[i] != logit(order[i])) return false;
  }
  std::vector<float> weights(row.size());
  const double sum = SumWeights(row, {logit(order[0]), kFactor}, weights);
  return std::abs(SumOfParts(best.sums) - sum) <= 1e-5 * sum;
}

// Runs a step; on a device that finds the best logits, with those and the row.
Status RunStep(Runner& runner, StepBatch batch, Ran& ran) {
  const bool finds_best = runner.limits().n_best > 0;
  if (finds_best) {
    batch.best_factors = {kFactor};
    batch.first_change = {0, 0};
  }
  RF_ASSIGN_OR_RETURN(const auto row, runner.Run(batch));
  if (finds_best) {
    RF_RETURN_IF_ERROR(runner.FetchRow(0));
    ran.has_right_best = ran.has_right_best && AreBest(runner.Best(0), row);
  }
  ran.logits.insert(ran.logits.end(), row.begin(), row.end());
  return {};
}

Result<Ran> RunOn(Device& device, const TinyModel& model) {
  PlanOptions options;
  options.rows = {kPromptTokens, 1};
  options.page_tokens = kPageTokens;
  options.n_pages = kPages;
  const std::array<Device*, 1> devices = {&device};
  RF_ASSIGN_OR_RETURN(auto plan, Plan::Make(model.graph(), model.Reader(), devices, options, nullptr));
  RF_ASSIGN_OR_RETURN(auto runner, PlanRunner::Create(std::move(plan), kPages, [] { return Status(); }));
  Ran ran;
  for (int32_t done = 0; done < kPromptTokens + kSteps; done += done == 0 ? kPromptTokens : 1) {
    RF_RETURN_IF_ERROR(RunStep(*runner, BatchOf(done, done == 0 ? kPromptTokens : 1), ran));
  }
  return ran;
}

double Nmse(const std::vector<float>& logits, const std::vector<float>& wanted) {
  double error = 0.0;
  double signal = 0.0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double difference = double{logits[i]} - wanted[i];
    error += difference * difference;
    signal += double{wanted[i]} * wanted[i];
  }
  return error / signal;
}

}  // namespace

Status CheckParity(Device& device, Device& trusted) {
  const TinyModel model;
  RF_ASSIGN_OR_RETURN(const Ran wanted, RunOn(trusted, model));
  RF_ASSIGN_OR_RETURN(const Ran ran, RunOn(device, model));
  const double nmse = Nmse(ran.logits, wanted.logits);
  const bool is_near = nmse <= kMaxNmse;  // not a number is not near
  if (is_near && ran.has_right_best) return {};
  const std::string what =
      is_near ? "finds the best logits of a small model wrongly"
              : fmt::format("computes a small model wrongly (error {:.2g}, {:g} is allowed)", nmse, kMaxNmse);
  const DeviceProperties& properties = device.properties();
  return Error{ErrorCode::kDevice,
               fmt::format("'{}' ({}) {} and is not used: its driver, runtime or module is broken; --no-self-test uses "
                           "it all the same",
                           properties.name, properties.isa, what),
               properties.Label()};
}

}  // namespace rf
