// Reads the members of a JSON object with their types and ranges checked.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace rf::server {

/// The members of one object. Reading never fails at once: the first problem is kept, and Finish() tells it. A member
/// that is null counts as absent.
class Fields {
 public:
  using Json = nlohmann::ordered_json;
  static constexpr int64_t kMaxInt =
      std::numeric_limits<int32_t>::max();  ///< most that Integer() is asked for where an int32_t takes it

  /// `prefix` is put in front of names in errors, e.g. "stream_options.". REQUIRES: `object` outlives this.
  explicit Fields(const Json& object, std::string prefix = "") : object_(object), prefix_(std::move(prefix)) {}

  /// The member, or nullptr. All reading goes through here; what is never asked for is an unknown field.
  const Json* Find(const char* name);

  /// A finite number in [min, max].
  std::optional<double> Number(const char* name, double min, double max);
  /// A whole number, written without fraction or exponent, in [min, max].
  std::optional<int64_t> Integer(const char* name, int64_t min, int64_t max);
  std::optional<bool> Bool(const char* name);
  std::optional<std::string> String(const char* name, size_t max_bytes);
  const Json* Object(const char* name);
  const Json* Array(const char* name);

  /// A field of OpenAI's API that this server does not have: refused by name when it is there.
  void Unsupported(const char* name, const char* what);

  void Fail(const std::string& name, std::string message, ErrorCode code = ErrorCode::kInvalidArgument);
  /// Takes over the error of a check, if it failed.
  void Fail(const Status& status);
  bool ok() const { return status_.has_value(); }
  /// The first problem; after all others, that there is a field that was never asked for.
  Status Finish();

  /// The names that were asked for so far.
  const std::vector<std::string>& known() const { return known_; }

 private:
  void FailType(const char* name, const std::string& wanted, const Json& value);

  const Json& object_;
  std::string prefix_;
  std::vector<std::string> known_;
  Status status_;
};

}  // namespace rf::server
