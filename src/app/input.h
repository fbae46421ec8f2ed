// What commands read and print: whole files, standard input, JSON lines.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace rf::app {

inline constexpr uint64_t kMaxInputBytes = uint64_t{1} << 30;

/// A whole regular file, at most kMaxInputBytes. Errors: kNotFound, kIo, kInvalidArgument (a folder, a FIFO, too
/// large).
Result<std::string> ReadTextFile(const std::string& path);

/// Standard input to its end. Errors: kIo, kInvalidArgument (more than max_bytes).
Result<std::string> ReadStdin(uint64_t max_bytes = kMaxInputBytes);

/// One JSON value on one line of standard output. Bytes that are not UTF-8 are replaced by U+FFFD: JSON cannot hold
/// them.
void PrintJson(const nlohmann::ordered_json& value);

/// Calls `handle` with each line of standard input parsed as a JSON object and prints what it returns, in order.
/// Errors: kInvalidArgument naming the line; those of `handle` with the line's number.
Status ForEachJsonLine(const std::function<Result<nlohmann::ordered_json>(const nlohmann::ordered_json&)>& handle);

/// line[key], or `fallback` where it has none. Errors: kInvalidArgument naming the key.
Result<bool> FlagOfLine(const nlohmann::ordered_json& line, const char* key, bool fallback);

/// `text` parsed as JSON. Errors: kInvalidArgument naming `what`.
Result<nlohmann::ordered_json> ParseJson(const std::string& text, const std::string& what);

}  // namespace rf::app
