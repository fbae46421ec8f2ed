// What a line of a chat means: a message, or a command that begins with '/'.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rf::app {

enum class ChatAction : uint8_t {
  kNothing,  ///< only white space
  kMessage,
  kHelp,
  kClear,
  kSave,
  kLoad,
  kSystem,
  kRegenerate,
  kSet,
  kExit,
  kUnknown,  ///< a command that does not exist; `argument` is its name
};

struct ChatInput {
  ChatAction action = ChatAction::kNothing;
  std::string argument;  ///< the message, or what follows the command's name
};

/// A command is '/' and a word of letters at the very beginning; "/etc/hosts is …" and " /help" are messages.
ChatInput ParseChatInput(std::string_view text);

/// The list of commands, for /help.
std::string ChatHelp();

/// Joins lines to one message: a line that ends in a backslash goes on in the next one, and everything between """ and
/// """ is one message.
class MultiLine {
 public:
  /// True when the message is complete: Take() it.
  bool Add(std::string_view line);
  std::string Take();
  /// Whether a message has begun.
  bool is_open() const { return is_quoted_ || is_continued_; }
  void Clear() { *this = MultiLine(); }

 private:
  bool AddQuoted(std::string_view line);

  std::string text_;
  bool is_quoted_ = false;
  bool is_continued_ = false;
};

}  // namespace rf::app
