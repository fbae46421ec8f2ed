#include "server/http/types.h"

namespace rf::server {
namespace {

constexpr unsigned kBadRequest = 400;
constexpr unsigned kNotFound = 404;
constexpr unsigned kRequestTimeout = 408;
constexpr unsigned kTooManyRequests = 429;
constexpr unsigned kInternalError = 500;
constexpr unsigned kUnavailable = 503;
constexpr const char* kRetryAfterSeconds = "1";

const char* ErrorType(unsigned status) {
  if (status == kTooManyRequests) return "rate_limit_error";
  return status >= kInternalError ? "server_error" : "invalid_request_error";
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

nlohmann::ordered_json ErrorJson(const Error& error) {
  const unsigned status = HttpStatus(error);
  nlohmann::ordered_json param = nullptr;
  if (!error.where.empty()) param = error.where;
  return {{"error",
           {{"message", error.message},
            {"type", ErrorType(status)},
            {"param", param},
            {"code", ErrorCodeName(error.code)}}}};
}

HttpResponse ErrorResponse(const Error& error) {
  HttpResponse response = JsonResponse(ErrorJson(error), HttpStatus(error));
  if (error.code == ErrorCode::kBusy) response.headers["Retry-After"] = kRetryAfterSeconds;
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

}  // namespace rf::server
