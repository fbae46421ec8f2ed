#include "server/http/types.h"

#include <utility>

#include "base/utf8.h"

namespace rf::server {
namespace {

constexpr unsigned kBadRequest = 400;
constexpr unsigned kNotFound = 404;
constexpr unsigned kRequestTimeout = 408;
constexpr unsigned kTooManyRequests = 429;
constexpr unsigned kInternalError = 500;
constexpr unsigned kUnavailable = 503;
constexpr int kRetryAfterSeconds = 1;

const char* ErrorType(unsigned status) {
  if (status == kTooManyRequests) return "rate_limit_error";
  return status >= kInternalError ? "server_error" : "invalid_request_error";
}

nlohmann::ordered_json ErrorBody(unsigned status, const std::string& message, const std::string& param,
                                 std::string_view code) {
  nlohmann::ordered_json param_json = nullptr, code_json = nullptr;
  if (!param.empty()) param_json = param;
  if (!code.empty()) code_json = code;
  return {{"error", {{"message", message}, {"type", ErrorType(status)}, {"param", param_json}, {"code", code_json}}}};
}

Error BadPath(const char* message) {
  return {ErrorCode::kInvalidArgument, message, ""};
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Whether every segment is a name: none is empty (but the last), "." or "..".
bool HasPlainSegments(std::string_view path) {
  size_t begin = 1;
  for (;;) {
    const size_t end = path.find('/', begin);
    const std::string_view segment = path.substr(begin, end == path.npos ? path.npos : end - begin);
    if (segment == "." || segment == "..") return false;
    if (end == path.npos) return true;
    if (segment.empty()) return false;
    begin = end + 1;
  }
}

}  // namespace

unsigned HttpStatus(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kRejected:
    case ErrorCode::kUnsupported: return kBadRequest;
    case ErrorCode::kNotFound: return kNotFound;
    case ErrorCode::kTimeout: return kRequestTimeout;
    case ErrorCode::kBusy: return kTooManyRequests;
    case ErrorCode::kOutOfMemory:
    case ErrorCode::kDevice:
    case ErrorCode::kCancelled: return kUnavailable;
    case ErrorCode::kCorruptFile:
    case ErrorCode::kIo:
    case ErrorCode::kInternal: return kInternalError;
  }
  return kInternalError;
}

nlohmann::ordered_json ErrorJson(const Error& error, std::string_view code) {
  return ErrorBody(HttpStatus(error), error.message, error.where, code.empty() ? ErrorCodeName(error.code) : code);
}

HttpResponse ErrorResponse(const Error& error) {
  HttpResponse response = JsonResponse(ErrorJson(error), HttpStatus(error));
  if (error.code == ErrorCode::kBusy || response.status == kUnavailable) {
    response.headers["Retry-After"] = std::to_string(kRetryAfterSeconds);
  }
  return response;
}

HttpResponse StatusResponse(unsigned status, const std::string& message) {
  HttpResponse response = JsonResponse(ErrorBody(status, message, "", ""), status);
  if (status == kUnavailable) response.headers["Retry-After"] = std::to_string(kRetryAfterSeconds);
  return response;
}

std::string DumpJson(const nlohmann::ordered_json& value) {
  return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

HttpResponse JsonResponse(const nlohmann::ordered_json& value, unsigned status) {
  HttpResponse response;
  response.status = status;
  response.body = DumpJson(value);
  return response;
}

std::string_view StatusPhrase(unsigned status) {
  static constexpr std::pair<unsigned, std::string_view> kPhrases[] = {
      {200, "OK"},
      {400, "Bad Request"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {417, "Expectation Failed"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
  };
  for (const auto& [known, phrase] : kPhrases) {
    if (known == status) return phrase;
  }
  return "Unknown";
}

Result<std::string> DecodePath(std::string_view target) {
  target = target.substr(0, target.find('?'));
  if (target.empty() || target[0] != '/') return BadPath("the request target must be a path that begins with '/'");
  std::string path;
  for (size_t i = 0; i < target.size(); ++i) {
    if (target[i] != '%') {
      path += target[i];
      continue;
    }
    const int high = i + 2 < target.size() ? HexDigit(target[i + 1]) : -1;
    const int low = i + 2 < target.size() ? HexDigit(target[i + 2]) : -1;
    if (high < 0 || low < 0) return BadPath("the request's path has a malformed percent escape");
    path += static_cast<char>(high * 16 + low);
    i += 2;
  }
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\') {
      return BadPath("the request's path has a control character or a backslash");
    }
  }
  if (!IsValidUtf8(path)) return BadPath("the request's path is not valid UTF-8");
  if (!HasPlainSegments(path)) return BadPath("the request's path has an empty or a dot segment");
  return path;
}

}  // namespace rf::server
