#include "gguf/split.h"

#include <fmt/format.h>

#include <utility>

#include "base/file.h"
#include "gguf/message.h"

namespace rf {
namespace {

constexpr const char* kCountKey = "split.count";
constexpr const char* kNumberKey = "split.no";
constexpr const char* kTensorsKey = "split.tensors.count";
constexpr const char* kArchitectureKey = "general.architecture";

// Files are counted from 0 in metadata and from 1 in names.
std::string NameEnd(uint64_t index, uint64_t count) {
  return fmt::format("-{:05}-of-{:05}.gguf", index + 1, count);
}

}  // namespace

Result<std::vector<std::string>> OtherShards(const GgufMetadata& first, const std::string& first_path,
                                             const GgufLimits& limits) {
  RF_ASSIGN_OR_RETURN(const auto stated_count, first.FindU64(kCountKey));
  if (!stated_count) return std::vector<std::string>();
  const uint64_t count = *stated_count;
  if (count == 0) return first.ErrorAt(kCountKey, "split.count is 0, must be at least 1");
  if (count > limits.split_files)
    return first.ErrorAt(kCountKey,
                         fmt::format("split.count {} is over the limit of {} files", count, limits.split_files));
  RF_ASSIGN_OR_RETURN(const auto stated_number, first.FindU64(kNumberKey));
  const uint64_t number = stated_number.value_or(0);
  if (number >= count)
    return first.ErrorAt(kNumberKey, fmt::format("split.no is {}, must be below split.count {}", number, count));
  if (number != 0)
    return first.ErrorAt(kNumberKey, fmt::format("this is file {} of {} of a split model: open the first, '*{}'",
                                                 number + 1, count, NameEnd(0, count)));
  if (count == 1) return std::vector<std::string>();
  const std::string end = NameEnd(0, count);
  if (!std::string_view(first_path).ends_with(end))
    return first.ErrorAt(kCountKey,
                         fmt::format("split.count is {}, but the file's name does not end in '{}'", count, end));
  std::vector<std::string> paths;
  for (uint64_t i = 1; i < count; ++i)
    paths.push_back(first_path.substr(0, first_path.size() - end.size()) + NameEnd(i, count));
  return paths;
}

Status CheckShard(const GgufMetadata& first, const GgufMetadata& shard, uint32_t index) {
  RF_ASSIGN_OR_RETURN(const uint64_t number, shard.GetU64(kNumberKey));
  if (number != index) return shard.ErrorAt(kNumberKey, fmt::format("split.no is {}, must be {}", number, index));
  RF_ASSIGN_OR_RETURN(const uint64_t count, shard.GetU64(kCountKey));
  RF_ASSIGN_OR_RETURN(const uint64_t first_count, first.GetU64(kCountKey));
  if (count != first_count)
    return shard.ErrorAt(kCountKey, fmt::format("split.count is {}, the first file has {}", count, first_count));
  RF_ASSIGN_OR_RETURN(const auto architecture, shard.FindString(kArchitectureKey));
  RF_ASSIGN_OR_RETURN(const auto first_architecture, first.FindString(kArchitectureKey));
  if (architecture && architecture != first_architecture)
    return shard.ErrorAt(kArchitectureKey, fmt::format("general.architecture is '{}', the first file has '{}'",
                                                       NameForMessage(*architecture, 40),
                                                       NameForMessage(first_architecture.value_or(""), 40)));
  return {};
}

Status CheckTensorTotal(const GgufMetadata& first, uint64_t n_tensors) {
  RF_ASSIGN_OR_RETURN(const auto stated, first.FindU64(kTensorsKey));
  if (stated && *stated != n_tensors)
    return first.ErrorAt(kTensorsKey,
                         fmt::format("split.tensors.count is {}, the files have {} tensors", *stated, n_tensors));
  return {};
}

}  // namespace rf
