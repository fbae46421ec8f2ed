#include "app/chat/chat.h"

#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "app/chat/chat_input.h"
#include "app/chat/chat_state.h"
#include "app/chat/line_reader.h"
#include "app/devices.h"
#include "app/interrupt.h"
#include "app/style.h"
#include "base/log.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

void Greet(const ModelSession& session) {
  const Style style = StyleFor(stderr);
  fmt::print(stderr, "{}{}{} · {} · {} · context {}\n", style.bold, EscapeForMessage(session.name, 80), style.reset,
             session.architecture, ShortDescription(session.parts), session.context_length);
  fmt::print(stderr, "{}Type a message; /help shows the commands, Ctrl-D leaves.{}\n", style.dim, style.reset);
}

void ShowError(const Error& error) {
  const Style style = StyleFor(stderr);
  fmt::print(stderr, "{}{}{}\n", style.warning, error.ToString(), style.reset);
}

// One message, perhaps of several lines. kInterrupted: what was typed is thrown away.
Line ReadMessage(LineReader& reader) {
  MultiLine message;
  while (true) {
    Line line = reader.Read(message.is_open() ? ". " : "> ");
    if (line.event != LineEvent::kLine) {
      if (message.is_open() && line.event == LineEvent::kInterrupted) line.text = message.Take() + line.text;
      return line;
    }
    reader.Remember(line.text);
    if (message.Add(line.text)) return {LineEvent::kLine, message.Take()};
  }
}

// Ctrl-C with something typed, or the first one, only clears the line.
bool ShouldLeave(const Line& line, bool& was_interrupted) {
  const bool leaves = line.event == LineEvent::kEnd || (was_interrupted && line.text.empty());
  std::fputc('\n', stderr);
  if (!leaves && line.text.empty()) std::fputs("Ctrl-C again, Ctrl-D or /exit leaves.\n", stderr);
  was_interrupted = line.text.empty();
  return leaves;
}

}  // namespace

Status CheckCanChat(const ModelSession& session, const std::string& model) {
  const std::string name = EscapeForMessage(model, 60);
  if (!session.chat_template) {
    return Error{
        ErrorCode::kUnsupported,
        fmt::format("model '{0}' has no chat template, so it completes text instead of answering: try rocmforge "
                    "generate {0} --prompt \"Once upon a time\"; or give it one with --chat-template-file FILE",
                    name),
        ""};
  }
  if (!*session.chat_template) {
    const Error& error = session.chat_template->error();
    return Error{ErrorCode::kCorruptFile, error.message,
                 fmt::format("chat template of model '{}': {}", name, error.where)};
  }
  for (const TemplateWarning& warning : (*session.chat_template)->warnings()) {
    Log(LogLevel::kWarning, fmt::format("chat template:{}:{}: {}", warning.line, warning.column, warning.message));
  }
  return {};
}

Status RunChat(ModelSession& session, const ChatOptions& options) {
  RF_RETURN_IF_ERROR(CheckCanChat(session, options.model));
  if (!options.is_quiet) Greet(session);
  SaveTerminal();
  const InterruptScope scope;
  LineReader reader(options.keeps_history ? HistoryPath() : "");
  ChatState state(session, options.system, options.settings, options.is_quiet);
  bool was_interrupted = false;
  while (true) {
    InterruptScope::Clear();
    const Line line = ReadMessage(reader);
    if (line.event != LineEvent::kLine) {
      if (ShouldLeave(line, was_interrupted)) return {};
      continue;
    }
    was_interrupted = false;
    InterruptScope::Clear();
    auto goes_on = state.Handle(ParseChatInput(line.text));
    if (std::ferror(stdout) != 0) return Error{ErrorCode::kIo, "cannot write to standard output", ""};
    if (!goes_on) ShowError(goes_on.error());
    if (goes_on && !*goes_on) return {};
  }
}

Status AnswerOnce(ModelSession& session, const ChatOptions& options, const std::string& prompt) {
  RF_RETURN_IF_ERROR(CheckCanChat(session, options.model));
  return ChatState(session, options.system, options.settings, options.is_quiet).Say(prompt);
}

}  // namespace rf::app
