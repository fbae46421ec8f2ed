#include "server/openai/fields.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf::server {
namespace {

// What was sent, in a few words.
std::string Describe(const nlohmann::ordered_json& value) {
  if (value.is_number() || value.is_boolean()) return EscapeForMessage(value.dump(), 40);
  return fmt::format("{} {}", value.is_array() || value.is_object() ? "an" : "a", value.type_name());
}

}  // namespace

const Fields::Json* Fields::Find(const char* name) {
  if (std::find(known_.begin(), known_.end(), name) == known_.end()) known_.emplace_back(name);
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

void Fields::Fail(const std::string& name, std::string message, ErrorCode code) {
  if (ok()) status_ = Error{code, std::move(message), prefix_ + name};
}

void Fields::Fail(const Status& status) {
  if (ok()) status_ = status;
}

void Fields::FailType(const char* name, const std::string& wanted, const Json& value) {
  Fail(name, fmt::format("'{}{}' must be {}, not {}", prefix_, name, wanted, Describe(value)));
}

std::optional<double> Fields::Number(const char* name, double min, double max) {
  const Json* value = Find(name);
  if (value == nullptr) return {};
  const double number = value->is_number() ? value->get<double>() : std::nan("");
  if (number >= min && number <= max) return number;
  FailType(name, fmt::format("a number from {} to {}", min, max), *value);
  return {};
}

std::optional<int64_t> Fields::Integer(const char* name, int64_t min, int64_t max) {
  const Json* value = Find(name);
  if (value == nullptr) return {};
  const bool fits = value->is_number_integer() &&
                    !(value->is_number_unsigned() && value->get<uint64_t>() > static_cast<uint64_t>(INT64_MAX));
  if (fits && value->get<int64_t>() >= min && value->get<int64_t>() <= max) return value->get<int64_t>();
  FailType(name, fmt::format("a whole number from {} to {}", min, max), *value);
  return {};
}

std::optional<bool> Fields::Bool(const char* name) {
  const Json* value = Find(name);
  if (value == nullptr) return {};
  if (value->is_boolean()) return value->get<bool>();
  FailType(name, "true or false", *value);
  return {};
}

std::optional<std::string> Fields::String(const char* name, size_t max_bytes) {
  const Json* value = Find(name);
  if (value == nullptr) return {};
  if (!value->is_string()) {
    FailType(name, "a string", *value);
    return {};
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() <= max_bytes) return text;
  Fail(name, fmt::format("'{}{}' has {} bytes (max {})", prefix_, name, text.size(), max_bytes));
  return {};
}

const Fields::Json* Fields::Object(const char* name) {
  const Json* value = Find(name);
  if (value == nullptr || value->is_object()) return value;
  FailType(name, "an object", *value);
  return nullptr;
}

const Fields::Json* Fields::Array(const char* name) {
  const Json* value = Find(name);
  if (value == nullptr || value->is_array()) return value;
  FailType(name, "a list", *value);
  return nullptr;
}

void Fields::Unsupported(const char* name, const char* what) {
  if (Find(name) == nullptr) return;
  Fail(name, fmt::format("'{}{}' is not supported: {}", prefix_, name, what), ErrorCode::kUnsupported);
}

Status Fields::Finish() {
  for (auto member = object_.begin(); ok() && member != object_.end(); ++member) {
    if (std::find(known_.begin(), known_.end(), member.key()) != known_.end()) continue;
    const std::string name = EscapeForMessage(member.key(), 60);
    Fail(name, fmt::format("unknown field '{}{}'", prefix_, name));
  }
  return status_;
}

}  // namespace rf::server
