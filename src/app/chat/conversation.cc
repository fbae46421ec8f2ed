#include "app/chat/conversation.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace rf::app {
namespace {

using nlohmann::ordered_json;

bool IsUser(const ChatMessage& message) {
  return message.role == "user";
}

Result<std::string> TextField(const ordered_json& message, const char* key, size_t index) {
  const auto found = message.is_object() ? message.find(key) : message.end();
  if (found != message.end() && found->is_string()) return found->get<std::string>();
  return Error{ErrorCode::kInvalidArgument, "must be a string", fmt::format("messages[{}].{}", index, key)};
}

}  // namespace

bool Conversation::DropLastAnswer() {
  const auto last = std::find_if(messages_.rbegin(), messages_.rend(), IsUser);
  if (last == messages_.rend()) return false;
  messages_.erase(last.base(), messages_.end());
  return true;
}

bool Conversation::DropOldestTurn() {
  const auto first = std::find_if(messages_.begin(), messages_.end(), IsUser);
  if (first == messages_.end()) return false;
  const auto second = std::find_if(first + 1, messages_.end(), IsUser);
  if (second == messages_.end()) return false;
  messages_.erase(messages_.begin(), second);
  return true;
}

ordered_json Conversation::ToJson() const {
  auto list = ordered_json::array();
  if (!system_.empty()) list.push_back({{"role", "system"}, {"content", system_}});
  for (const ChatMessage& message : messages_) {
    list.push_back({{"role", message.role}, {"content", message.content}});
  }
  return list;
}

Result<Conversation> Conversation::FromJson(const ordered_json& messages) {
  if (!messages.is_array()) return Error{ErrorCode::kInvalidArgument, "must be an array", "messages"};
  Conversation conversation;
  for (size_t i = 0; i < messages.size(); ++i) {
    RF_ASSIGN_OR_RETURN(std::string role, TextField(messages[i], "role", i));
    RF_ASSIGN_OR_RETURN(std::string content, TextField(messages[i], "content", i));
    if (role == "system" && i == 0) {
      conversation.set_system(std::move(content));
    } else if (role == "user" || role == "assistant") {
      conversation.Add(std::move(role), std::move(content));
    } else {
      return Error{ErrorCode::kInvalidArgument, "must be user or assistant, or system for the first message",
                   fmt::format("messages[{}].role", i)};
    }
  }
  return conversation;
}

}  // namespace rf::app
