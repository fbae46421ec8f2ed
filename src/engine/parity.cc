#include "engine/parity.h"

#include <array>
#include <memory>
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

using Logits = std::vector<float>;  // of all steps

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

Result<Logits> RunOn(Device& device, const TinyModel& model) {
  PlanOptions options;
  options.rows = {kPromptTokens, 1};
  options.page_tokens = kPageTokens;
  options.n_pages = kPages;
  const std::array<Device*, 1> devices = {&device};
  RF_ASSIGN_OR_RETURN(auto plan, Plan::Make(model.graph(), model.Reader(), devices, options, nullptr));
  RF_ASSIGN_OR_RETURN(auto runner, PlanRunner::Create(std::move(plan), kPages, [] { return Status(); }));
  Logits logits;
  for (int32_t done = 0; done < kPromptTokens + kSteps; done += done == 0 ? kPromptTokens : 1) {
    RF_ASSIGN_OR_RETURN(const auto row, runner->Run(BatchOf(done, done == 0 ? kPromptTokens : 1)));
    logits.insert(logits.end(), row.begin(), row.end());
  }
  return logits;
}

double Nmse(const Logits& logits, const Logits& wanted) {
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
  RF_ASSIGN_OR_RETURN(const Logits wanted, RunOn(trusted, model));
  RF_ASSIGN_OR_RETURN(const Logits logits, RunOn(device, model));
  const double nmse = Nmse(logits, wanted);
  if (nmse <= kMaxNmse) return {};  // not a number is not near
  const DeviceProperties& properties = device.properties();
  return Error{
      ErrorCode::kDevice,
      fmt::format("'{}' ({}) computes a small model wrongly (error {:.2g}, {:g} is allowed) and is not used: its "
                  "driver, runtime or module is broken; --no-self-test uses it all the same",
                  properties.name, properties.isa, nmse, kMaxNmse),
      properties.Label()};
}

}  // namespace rf
