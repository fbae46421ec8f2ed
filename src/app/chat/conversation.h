// What was said in a chat.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace rf::app {

struct ChatMessage {
  std::string role;  ///< "user" or "assistant"
  std::string content;
  bool operator==(const ChatMessage&) const = default;
};

/// A system message and turns: a user's message with what follows it up to the next one.
class Conversation {
 public:
  const std::string& system() const { return system_; }
  void set_system(std::string text) { system_ = std::move(text); }
  const std::vector<ChatMessage>& messages() const { return messages_; }

  void Add(std::string role, std::string content) { messages_.push_back({std::move(role), std::move(content)}); }
  /// Forgets the messages; the system message stays.
  void Clear() { messages_.clear(); }
  /// Removes what follows the last user's message, so that it can be answered anew. False if there is no such message.
  bool DropLastAnswer();
  /// Removes the oldest turn unless it is the only one; false then.
  bool DropOldestTurn();

  /// [{"role", "content"}], the system message first if there is one.
  nlohmann::ordered_json ToJson() const;
  /// Reads what ToJson() wrote. Errors: kInvalidArgument naming the path of what is wrong.
  static Result<Conversation> FromJson(const nlohmann::ordered_json& messages);

 private:
  std::string system_;
  std::vector<ChatMessage> messages_;
};

}  // namespace rf::app
