// Result<T>: a value or an Error, for everything that input can cause.
//
// The engine's one error channel for files, requests, flags, memory and devices. Its API is a subset of C++23's
// std::expected, so that it can become an alias of it one day. Programmer errors do not belong here: base/check.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace rf {

/// What kind of thing went wrong. The command line maps each code to an exit code and the server to an HTTP status,
/// in one table each.
enum class ErrorCode {
  kInvalidArgument,  ///< a flag, a request field or an argument of an API is outside what is accepted
  kCorruptFile,      ///< a file's content contradicts its format or itself
  kUnsupported,      ///< well formed, but this build, model or device cannot do it
  kNotFound,         ///< a file, model or name that does not exist
  kOutOfMemory,      ///< host or device memory does not suffice
  kIo,               ///< the operating system or the network refused a read or a write
  kDevice,           ///< a device failed or is lost
  kCancelled,        ///< the caller asked for it
  kTimeout,          ///< a time limit ran out
  kRejected,         ///< a chat template or a policy refused the content of a request
  kBusy,             ///< a queue or a pool is full; trying again later can help
  kInternal,         ///< a bug of this program that was caught
};

/// The code's name as it appears in JSON and logs, e.g. "corrupt_file".
std::string_view ErrorCodeName(ErrorCode code);

/// An error: what kind, one sentence that names the thing and its numbers and says what to do, and where.
struct Error {
  ErrorCode code;
  std::string message;
  /// File and key, tensor, byte offset or JSON path; empty when the message says it all.
  std::string where;

  /// "where: message" on one line.
  std::string ToString() const { return where.empty() ? message : where + ": " + message; }
};

/// A T or an Error. Copyable and movable as T is.
template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)
  template <typename U>
  requires(std::is_convertible_v<U, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
           !std::is_same_v<std::remove_cvref_t<U>, Error> && !std::is_same_v<std::remove_cvref_t<U>, Result<T>>)
      Result(U&& value)  // NOLINT(google-explicit-constructor, bugprone-forwarding-reference-overload)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  /// REQUIRES: has_value(); std::bad_variant_access otherwise, which is a bug in the caller.
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  /// REQUIRES: !has_value().
  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }

 private:
  std::optional<Error> error_;
};

/// Result<void> under the name that reads best as a return type of checks.
using Status = Result<void>;

}  // namespace rf

#define RF_CONCAT_INNER(a, b) a##b
#define RF_CONCAT(a, b) RF_CONCAT_INNER(a, b)

/// Returns the error of `expr` (a Result or Status) from the enclosing function, or goes on.
#define RF_RETURN_IF_ERROR(expr)                         \
  do {                                                   \
    auto rf_status = (expr);                             \
    if (!rf_status) return std::move(rf_status).error(); \
  } while (false)

/// `RF_ASSIGN_OR_RETURN(auto file, File::Open(path));` declares or assigns the value, or returns the error.
#define RF_ASSIGN_OR_RETURN(lhs, expr) RF_ASSIGN_OR_RETURN_INNER(RF_CONCAT(rf_result_, __LINE__), lhs, expr)
#define RF_ASSIGN_OR_RETURN_INNER(tmp, lhs, expr) \
  auto tmp = (expr);                              \
  if (!tmp) return std::move(tmp).error();        \
  lhs = std::move(tmp).value()
