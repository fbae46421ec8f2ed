#include "server/http/types.h"

#include <utility>

#include "base/utf8.h"
#include "server/http/status.h"

namespace rf::server {
namespace {

constexpr int kRetryAfterSeconds = 1;

const char* ErrorType(unsigned status) {
  if (status == http_status::kTooManyRequests) return "rate_limit_error";
  return status >= http_status::kInternalError ? "server_error" : "invalid_request_error";
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
    case ErrorCode::kUnsupported: return http_status::kBadRequest;
    case ErrorCode::kNotFound: return http_status::kNotFound;
    case ErrorCode::kTimeout: return http_status::kRequestTimeout;
    case ErrorCode::kBusy: return http_status::kTooManyRequests;
    case ErrorCode::kOutOfMemory:
    case ErrorCode::kDevice:
    case ErrorCode::kCancelled: return http_status::kUnavailable;
    case ErrorCode::kCorruptFile:
    case ErrorCode::kIo:
    case ErrorCode::kInternal: return http_status::kInternalError;
  }
  return http_status::kInternalError;
}

nlohmann::ordered_json ErrorJson(const Error& error, std::string_view code) {
  return ErrorBody(HttpStatus(error), error.message, error.where, code.empty() ? ErrorCodeName(error.code) : code);
}

HttpResponse ErrorResponse(const Error& error) {
  HttpResponse response = JsonResponse(ErrorJson(error), HttpStatus(error));
  if (error.code == ErrorCode::kBusy || response.status == http_status::kUnavailable) {
    response.headers["Retry-After"] = std::to_string(kRetryAfterSeconds);
  }
  return response;
}

HttpResponse StatusResponse(unsigned status, const std::string& message) {
  HttpResponse response = JsonResponse(ErrorBody(status, message, "", ""), status);
  if (status == http_status::kUnavailable) response.headers["Retry-After"] = std::to_string(kRetryAfterSeconds);
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
