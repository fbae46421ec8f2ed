#include "app/chat/chat_input.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace rf::app {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kQuotes = "\"\"\"";

struct Command {
  ChatAction action;
  std::string_view name;
  std::string_view argument;
  std::string_view help;  // empty: another name of the command above
};

constexpr Command kCommands[] = {
    {ChatAction::kHelp, "help", "", "this list"},
    {ChatAction::kClear, "clear", "", "forget the conversation; the system message stays"},
    {ChatAction::kRegenerate, "regenerate", "", "answer the last message anew"},
    {ChatAction::kSystem, "system", "[TEXT]", "show or set the system message; 'none' removes it"},
    {ChatAction::kSet, "set", "[NAME VALUE]", "show or set temp, top-k, top-p, min-p, repeat-penalty, seed, n"},
    {ChatAction::kSave, "save", "FILE", "write the conversation to a file"},
    {ChatAction::kLoad, "load", "FILE", "go on with a saved conversation"},
    {ChatAction::kExit, "exit", "", "leave (also /quit and Ctrl-D)"},
    {ChatAction::kExit, "quit", "", ""},
};

std::string_view Trim(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  return text.substr(begin, text.find_last_not_of(kSpace) + 1 - begin);
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

ChatInput ParseChatInput(std::string_view text) {
  const std::string_view trimmed = Trim(text);
  if (trimmed.empty()) return {};
  if (text[0] == '/') {
    const size_t end = std::min(text.find_first_of(kSpace), text.size());
    const std::string_view name = text.substr(1, end - 1);
    const bool is_word =
        !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    for (const Command& command : kCommands) {
      if (command.name == name) return {command.action, std::string(Trim(text.substr(end)))};
    }
    if (is_word) return {ChatAction::kUnknown, std::string(name)};
  }
  return {ChatAction::kMessage, std::string(trimmed)};
}

std::string ChatHelp() {
  std::string help;
  for (const Command& command : kCommands) {
    if (command.help.empty()) continue;
    help += fmt::format("  {:<22} {}\n", fmt::format("/{} {}", command.name, command.argument), command.help);
  }
  return help +
         "A line that ends in \\ goes on in the next one; \"\"\" begins and ends a text of several lines.\n"
         "Ctrl-C stops an answer; at an empty prompt, twice, it leaves.\n";
}

bool MultiLine::Add(std::string_view line) {
  if (is_quoted_) return AddQuoted(line);
  if (!is_continued_ && line.substr(0, kQuotes.size()) == kQuotes) {
    is_quoted_ = true;
    return AddQuoted(line.substr(kQuotes.size()));
  }
  is_continued_ = EndsWith(line, "\\");
  text_ += line.substr(0, line.size() - (is_continued_ ? 1 : 0));
  if (is_continued_) text_ += '\n';
  return !is_continued_;
}

bool MultiLine::AddQuoted(std::string_view line) {
  const std::string_view end = line.substr(0, line.find_last_not_of(kSpace) + 1);
  if (EndsWith(end, kQuotes)) {
    text_ += end.substr(0, end.size() - kQuotes.size());
    is_quoted_ = false;
    return true;
  }
  if (!line.empty() || !text_.empty()) text_ += std::string(line) + '\n';
  return false;
}

std::string MultiLine::Take() {
  std::string text = std::move(text_);
  Clear();
  return text;
}

}  // namespace rf::app
