#include "app/store/http_source.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <optional>
#include <string_view>
#include <thread>

#include <fmt/format.h>

#include "app/store/curl_session.h"
#include "app/store/part_file.h"
#include "app/store/progress.h"
#include "app/store/sha256.h"
#include "base/log.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxAttempts = 6;
constexpr auto kRetryDelay = std::chrono::milliseconds(300);
constexpr size_t kMaxTextBytes = 4 << 20;
constexpr long kHttpOk = 200;
constexpr long kHttpPartial = 206;
constexpr long kHttpNotFound = 404;
constexpr long kHttpRangeNotSatisfiable = 416;
constexpr size_t kMaxEtagBytes = 1024;

// What a transfer's answer said, and where its body goes.
struct Transfer {
  PartFile* part = nullptr;
  Progress* progress = nullptr;
  uint64_t resume_from = 0;
  long status = 0;
  std::string etag;
  std::optional<uint64_t> total;        // bytes of the whole file
  std::optional<uint64_t> range_begin;  // of a partial answer
  std::optional<Error> error;           // ours: disk full, senseless answer
  bool is_body_checked = false;
};

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// "bytes 100-199/1000"
void ParseContentRange(std::string_view value, Transfer& transfer) {
  constexpr std::string_view kUnit = "bytes ";
  if (value.substr(0, kUnit.size()) != kUnit) return;
  value.remove_prefix(kUnit.size());
  const size_t dash = value.find('-');
  const size_t slash = value.find('/');
  if (dash != std::string_view::npos && dash < slash) transfer.range_begin = ParseNumber(value.substr(0, dash));
  if (slash != std::string_view::npos) transfer.total = ParseNumber(value.substr(slash + 1));
}

size_t OnHeader(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(data, size * count);
  if (line.substr(0, 5) == "HTTP/") {  // also the answers before a redirect
    transfer.etag.clear();
    transfer.total.reset();
    transfer.range_begin.reset();
    const size_t space = line.find(' ');
    transfer.status =
        space == std::string_view::npos ? 0 : static_cast<long>(ParseNumber(line.substr(space + 1, 3)).value_or(0));
    return size * count;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size * count;
  const std::string name(line.substr(0, colon));
  const std::string_view value = Trim(line.substr(colon + 1));
  if (strcasecmp(name.c_str(), "etag") == 0 && value.size() <= kMaxEtagBytes) transfer.etag = value;
  if (strcasecmp(name.c_str(), "content-range") == 0) ParseContentRange(value, transfer);
  if (strcasecmp(name.c_str(), "content-length") == 0 && transfer.status == kHttpOk)
    transfer.total = ParseNumber(value);
  return size * count;
}

// Decides, at the first byte of a body, whether it continues the part or replaces it.
bool AcceptBody(Transfer& transfer) {
  if (transfer.is_body_checked) return true;
  transfer.is_body_checked = true;
  if (transfer.status == kHttpOk) {
    if (transfer.resume_from > 0) {
      Log(LogLevel::kInfo, "the server sends the whole file again (no ranges, or it changed): starting over");
      if (Status restarted = transfer.part->Restart(); !restarted) transfer.error = restarted.error();
    }
    return !transfer.error;
  }
  if (transfer.status != kHttpPartial) return false;
  if (transfer.range_begin != transfer.resume_from) {
    transfer.error = Error{ErrorCode::kIo,
                           fmt::format("the server sent a range from byte {}, byte {} was asked for",
                                       transfer.range_begin.value_or(0), transfer.resume_from),
                           ""};
    return false;
  }
  return true;
}

size_t OnBody(char* data, size_t size, size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (!AcceptBody(transfer)) return 0;
  if (Status written = transfer.part->Append(data, size * count); !written) {
    transfer.error = written.error();
    return 0;
  }
  if (transfer.progress != nullptr) transfer.progress->Update(transfer.part->size(), transfer.total.value_or(0));
  return size * count;
}

std::string ReadEtag(const fs::path& path) {
  std::ifstream file(path);
  std::string etag;
  std::getline(file, etag);
  return etag.size() > kMaxEtagBytes ? "" : etag;
}

enum class Outcome { kComplete, kRetry, kStartOver };

Error HttpError(const HttpSource& source, long status) {
  const auto code = status == kHttpNotFound ? ErrorCode::kNotFound : ErrorCode::kIo;
  return {code, fmt::format("the server answered {}", status), EscapeForMessage(source.url, 160)};
}

Result<Outcome> JudgeTransfer(const HttpSource& source, CURLcode code, const Transfer& transfer) {
  if (transfer.status == kHttpRangeNotSatisfiable) return Outcome::kStartOver;
  if (transfer.error) {
    if (transfer.status == kHttpPartial && transfer.range_begin != transfer.resume_from) return Outcome::kStartOver;
    return *transfer.error;
  }
  if (transfer.status >= 400) return HttpError(source, transfer.status);
  if (code == CURLE_OK) {
    if (transfer.total && transfer.part->size() != *transfer.total) return Outcome::kStartOver;
    return Outcome::kComplete;
  }
  const bool is_transient = code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
                            code == CURLE_OPERATION_TIMEDOUT || code == CURLE_SEND_ERROR ||
                            code == CURLE_HTTP2_STREAM || code == CURLE_HTTP2;
  if (is_transient) return Outcome::kRetry;
  return Error{ErrorCode::kIo, curl_easy_strerror(code), EscapeForMessage(source.url, 160)};
}

Result<Outcome> TransferOnce(const HttpSource& source, const fs::path& part_path, PartFile& part, Progress& progress) {
  const fs::path etag_path = part_path.string() + ".etag";
  RF_ASSIGN_OR_RETURN(const CurlHandle handle, MakeCurlHandle(source.url, source.bearer_token));
  Transfer transfer;
  transfer.part = &part;
  transfer.progress = &progress;
  transfer.resume_from = part.size();
  const std::string known_etag = ReadEtag(etag_path);
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, curl_slist_free_all);
  if (transfer.resume_from > 0) {
    headers.reset(curl_slist_append(nullptr, fmt::format("Range: bytes={}-", transfer.resume_from).c_str()));
    if (!known_etag.empty() && known_etag.rfind("W/", 0) != 0) {
      headers.reset(curl_slist_append(headers.release(), ("If-Range: " + known_etag).c_str()));
    }
  }
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  const CURLcode code = curl_easy_perform(curl);
  if (transfer.is_body_checked && !transfer.etag.empty()) std::ofstream(etag_path) << transfer.etag << '\n';
  // A partial answer of another version of the file: servers that do not know If-Range.
  if (transfer.status == kHttpPartial && !known_etag.empty() && !transfer.etag.empty() && transfer.etag != known_etag) {
    return Outcome::kStartOver;
  }
  return JudgeTransfer(source, code, transfer);
}

Status CheckDigest(const HttpSource& source, const fs::path& part_path) {
  if (source.sha256.empty()) return {};
  RF_ASSIGN_OR_RETURN(const std::string got, Sha256OfFile(part_path));
  if (strcasecmp(got.c_str(), source.sha256.c_str()) == 0) return {};
  std::error_code ignored;
  fs::remove(part_path, ignored);
  return Error{ErrorCode::kIo, fmt::format("SHA-256 mismatch: want {}, got {}", source.sha256, got), source.label};
}

}  // namespace

Status PullOverHttp(const HttpSource& source, const fs::path& part_path, const fs::path& destination) {
  std::error_code error;
  const bool has_part = fs::is_regular_file(fs::symlink_status(part_path, error));
  RF_ASSIGN_OR_RETURN(PartFile part, PartFile::Open(part_path, has_part ? fs::file_size(part_path, error) : 0));
  Progress progress("pulling " + source.label);
  for (int attempt = 1;; ++attempt) {
    RF_ASSIGN_OR_RETURN(const Outcome outcome, TransferOnce(source, part_path, part, progress));
    if (outcome == Outcome::kComplete) break;
    if (attempt == kMaxAttempts) {
      return Error{ErrorCode::kIo,
                   fmt::format("the connection broke {} times; run the command again to resume", attempt),
                   EscapeForMessage(source.url, 160)};
    }
    if (outcome == Outcome::kStartOver) {
      Log(LogLevel::kInfo, "what was there does not fit the server's file: starting over");
      RF_RETURN_IF_ERROR(part.Restart());
      fs::remove(part_path.string() + ".etag", error);
    }
    std::this_thread::sleep_for(kRetryDelay * attempt);
  }
  RF_RETURN_IF_ERROR(part.Flush());
  RF_RETURN_IF_ERROR(CheckDigest(source, part_path));
  RF_RETURN_IF_ERROR(part.Publish(destination));
  fs::remove(part_path.string() + ".etag", error);
  return {};
}

Result<std::string> FetchText(const std::string& url, const std::string& bearer_token) {
  RF_ASSIGN_OR_RETURN(const CurlHandle handle, MakeCurlHandle(url, bearer_token));
  std::string body;
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(
      handle.get(), CURLOPT_WRITEFUNCTION, +[](char* data, size_t size, size_t count, void* user) -> size_t {
        auto& text = *static_cast<std::string*>(user);
        if (text.size() + size * count > kMaxTextBytes) return 0;
        text.append(data, size * count);
        return size * count;
      });
  const CURLcode code = curl_easy_perform(handle.get());
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK) return Error{ErrorCode::kIo, curl_easy_strerror(code), EscapeForMessage(url, 160)};
  if (status != kHttpOk) return HttpError(HttpSource{url, "", "", ""}, status);
  return body;
}

}  // namespace rf::app
