#include "app/input.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/json_shape.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

constexpr size_t kMaxJsonDepth = 256;

Result<std::string> ReadAll(FILE* file, const std::string& name, uint64_t max_bytes) {
  std::string text;
  std::vector<char> chunk(1 << 16);
  while (const size_t n = std::fread(chunk.data(), 1, chunk.size(), file)) {
    if (text.size() + n > max_bytes) {
      return Error{ErrorCode::kInvalidArgument, fmt::format("is larger than {} bytes", max_bytes), name};
    }
    text.append(chunk.data(), n);
  }
  if (std::ferror(file) != 0) return Error{ErrorCode::kIo, "cannot read", name};
  return text;
}

}  // namespace

Result<std::string> ReadTextFile(const std::string& path) {
  const std::string shown = EscapeForMessage(path, 160);
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return Error{errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, std::strerror(errno), shown};
  }
  if (!S_ISREG(info.st_mode)) return Error{ErrorCode::kInvalidArgument, "is not a regular file", shown};
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) return Error{ErrorCode::kIo, std::strerror(errno), shown};
  return ReadAll(file.get(), shown, kMaxInputBytes);
}

Result<std::string> ReadStdin(uint64_t max_bytes) {
  return ReadAll(stdin, "standard input", max_bytes);
}

void PrintJson(const nlohmann::ordered_json& value) {
  const std::string text = value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);  // whoever reads line by line waits for it
}

Result<nlohmann::ordered_json> ParseJson(const std::string& text, const std::string& what) {
  if (const size_t valid = ValidUtf8Prefix(text); valid != text.size()) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("invalid UTF-8 at byte {}", valid), what};
  }
  if (Status shape = CheckJsonShape(text, {.depth = kMaxJsonDepth}); !shape) {
    Error error = std::move(shape).error();
    error.where = what;
    return error;
  }
  try {
    return nlohmann::ordered_json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("is not valid JSON (byte {})", error.byte), what};
  } catch (const nlohmann::json::exception&) {  // 1e999
    return Error{ErrorCode::kInvalidArgument, "holds a number that is too large", what};
  }
}

Result<bool> FlagOfLine(const nlohmann::ordered_json& line, const char* key, bool fallback) {
  if (!line.contains(key)) return fallback;
  if (!line[key].is_boolean())
    return Error{ErrorCode::kInvalidArgument, fmt::format("'{}' must be true or false", key), ""};
  return line[key].get<bool>();
}

Status ForEachJsonLine(const std::function<Result<nlohmann::ordered_json>(const nlohmann::ordered_json&)>& handle) {
  std::string line;
  for (int number = 1; std::getline(std::cin, line); ++number) {
    if (line.empty()) continue;
    const std::string where = fmt::format("line {}", number);
    RF_ASSIGN_OR_RETURN(const auto value, ParseJson(line, where));
    if (!value.is_object()) return Error{ErrorCode::kInvalidArgument, "must be a JSON object", where};
    auto result = handle(value);
    if (!result) {
      Error error = std::move(result).error();
      error.where = error.where.empty() ? where : where + ": " + error.where;
      return error;
    }
    PrintJson(*result);
    if (std::ferror(stdout) != 0) return Error{ErrorCode::kIo, "cannot write to standard output", ""};
  }
  if (std::ferror(stdin) != 0) return Error{ErrorCode::kIo, "cannot read", "standard input"};
  return {};
}

}  // namespace rf::app
