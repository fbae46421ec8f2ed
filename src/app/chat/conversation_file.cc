#include "app/chat/conversation_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "app/input.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

using nlohmann::ordered_json;

constexpr size_t kShownBytes = 160;

Error WriteError(const std::string& path) {
  return {ErrorCode::kIo, fmt::format("cannot write: {}", std::strerror(errno)), EscapeForMessage(path, kShownBytes)};
}

Status WriteFile(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "wxe");
  if (file == nullptr) return WriteError(path);
  const bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
  const int error = errno;
  std::fclose(file);
  if (is_written) return {};
  std::remove(path.c_str());
  errno = error;
  return WriteError(path);
}

}  // namespace

std::string ExpandHome(const std::string& path) {
  const char* home = std::getenv("HOME");
  if (home == nullptr || path.rfind("~/", 0) != 0) return path;
  return home + path.substr(1);
}

Status SaveConversation(const Conversation& conversation, const std::string& model, const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !LoadConversation(path)) {
    return Error{ErrorCode::kInvalidArgument, "exists and is no saved chat; it was left alone",
                 EscapeForMessage(path, kShownBytes)};
  }
  const ordered_json value = {{"model", model}, {"messages", conversation.ToJson()}};
  const std::string part = fmt::format("{}.{}.part", path, getpid());
  RF_RETURN_IF_ERROR(WriteFile(part, value.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n"));
  if (std::rename(part.c_str(), path.c_str()) == 0) return {};
  Error error = WriteError(path);
  std::remove(part.c_str());
  return error;
}

Result<Conversation> LoadConversation(const std::string& path) {
  RF_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  const std::string shown = EscapeForMessage(path, kShownBytes);
  RF_ASSIGN_OR_RETURN(const ordered_json value, ParseJson(text, shown));
  const auto found = value.is_object() ? value.find("messages") : value.end();
  if (value.is_object() && found == value.end()) {
    return Error{ErrorCode::kInvalidArgument, "is no saved chat: it has no \"messages\"", shown};
  }
  auto conversation = Conversation::FromJson(value.is_object() ? *found : value);
  if (!conversation) conversation.error().where = shown + ": " + conversation.error().where;
  return conversation;
}

}  // namespace rf::app
