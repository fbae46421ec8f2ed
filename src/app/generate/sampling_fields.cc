#include "app/generate/sampling_fields.h"

#include <cstdint>
#include <string>

#include <fmt/format.h>

namespace rf::app {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kTemperature = "temperature";
constexpr std::string_view kShortTemperature = "temp";

Error BadField(std::string_view key, const char* wanted) {
  return Error{ErrorCode::kInvalidArgument, fmt::format("must be {}", wanted), std::string(key)};
}

Status ReadNumber(const ordered_json& field, std::string_view key, float& value) {
  if (!field.is_number()) return BadField(key, "a number");
  value = field.get<float>();
  return {};
}

Status ReadNumber(const ordered_json& field, std::string_view key, int32_t& value) {
  const bool is_in_range = field.is_number_unsigned() ? field.get<uint64_t>() <= INT32_MAX
                                                      : field.is_number_integer() && field.get<int64_t>() >= INT32_MIN;
  if (!is_in_range) return BadField(key, "a whole number of 32 bits");
  value = field.get<int32_t>();
  return {};
}

template <typename T>
Status ReadMember(const ordered_json& line, std::string_view key, T& value) {
  const auto found = line.find(key);
  return found == line.end() ? Status{} : ReadNumber(*found, key, value);
}

Status ReadSeed(const ordered_json& line, uint64_t& value) {
  const auto found = line.find("seed");
  if (found == line.end()) return {};
  if (!found->is_number_unsigned()) return BadField("seed", "a whole number in 0..18446744073709551615");
  value = found->get<uint64_t>();
  return {};
}

Status ReadOrder(const ordered_json& line, std::vector<SamplingStep>& order) {
  const auto found = line.find("samplers");
  if (found == line.end()) return {};
  if (!found->is_string()) return BadField("samplers", "a string of steps with ';' between them");
  RF_ASSIGN_OR_RETURN(order, ParseSamplingOrder(found->get_ref<const std::string&>()));
  return {};
}

}  // namespace

bool IsSamplingField(std::string_view key) {
  if (key == kShortTemperature || key == "seed" || key == "samplers") return true;
#define RF_SAMPLING_PARAM(Type, field, neutral, least, most, name, options, help) \
  if (key == (name)) return true;
#include "engine/sampler/sampling_params.def"
#undef RF_SAMPLING_PARAM
  return false;
}

Status ReadSamplingFields(const ordered_json& line, SamplingParams& params) {
  if (line.contains(kTemperature) && line.contains(kShortTemperature))
    return BadField("temp", "left out beside 'temperature'");
  RF_RETURN_IF_ERROR(ReadMember(line, kShortTemperature, params.temperature));
#define RF_SAMPLING_PARAM(Type, field, neutral, least, most, key, options, help) \
  RF_RETURN_IF_ERROR(ReadMember(line, key, params.field));
#include "engine/sampler/sampling_params.def"
#undef RF_SAMPLING_PARAM
  RF_RETURN_IF_ERROR(ReadSeed(line, params.seed));
  return ReadOrder(line, params.order);
}

}  // namespace rf::app
