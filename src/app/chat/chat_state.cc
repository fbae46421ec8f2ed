#include "app/chat/chat_state.h"

#include <cstdio>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "app/chat/context_fit.h"
#include "app/chat/conversation_file.h"
#include "app/generate/generation.h"
#include "app/interrupt.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

Error WriteError() {
  return {ErrorCode::kIo, "cannot write to standard output", ""};
}

}  // namespace

ChatState::ChatState(ModelSession& session, std::string system, const ChatSettings& settings, bool is_quiet)
    : session_(session),
      settings_(settings),
      is_quiet_(is_quiet),
      is_terminal_(IsTerminal(stdout)),
      out_style_(StyleFor(stdout)),
      note_style_(StyleFor(stderr)) {
  conversation_.set_system(std::move(system));
}

void ChatState::Note(const std::string& text) const {
  fmt::print(stderr, "{}{}{}\n", note_style_.dim, text, note_style_.reset);
}

Result<bool> ChatState::Handle(const ChatInput& input) {
  Status done;
  switch (input.action) {
    case ChatAction::kNothing: break;
    case ChatAction::kMessage: done = Say(input.argument); break;
    case ChatAction::kHelp: fmt::print(stderr, "{}", ChatHelp()); break;
    case ChatAction::kClear:
      conversation_.Clear();
      Note("The conversation is forgotten.");
      break;
    case ChatAction::kSave: done = Save(input.argument); break;
    case ChatAction::kLoad: done = Load(input.argument); break;
    case ChatAction::kSystem: SetSystem(input.argument); break;
    case ChatAction::kRegenerate: done = Regenerate(); break;
    case ChatAction::kSet: done = Set(input.argument); break;
    case ChatAction::kExit: return false;
    case ChatAction::kUnknown:
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("no command /{}; /help lists them (a text that begins with / needs a space in front)",
                               EscapeForMessage(input.argument, 40)),
                   ""};
  }
  if (!done) return std::move(done).error();
  return true;
}

Status ChatState::Say(const std::string& message) {
  if (const size_t valid = ValidUtf8Prefix(message); valid != message.size()) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("invalid UTF-8 at byte {}", valid), "message"};
  }
  Conversation before = conversation_;
  conversation_.Add("user", message);
  return Answer(std::move(before));
}

Status ChatState::Answer(Conversation before) {
  Status done = Stream();
  // Nothing was answered: as if it had not been asked.
  if (conversation_.messages().back().role == "user") conversation_ = std::move(before);
  return done;
}

Status ChatState::Stream() {
  const auto encode = [this](const Conversation& conversation) {
    ChatTemplateInput input;
    input.messages = conversation.ToJson();
    return session_.EncodeChat(input);
  };
  RF_ASSIGN_OR_RETURN(FittedPrompt prompt, FitIntoContext(conversation_, session_.context_length, encode));
  if (prompt.n_dropped_turns > 0) {
    Note(fmt::format("The context of {} tokens is full: the oldest {} turn(s) were dropped.", session_.context_length,
                     prompt.n_dropped_turns));
  }
  const auto sink = [this](std::string_view piece) {
    const std::string safe = is_terminal_ ? ForTerminal(piece) : std::string(piece);
    return std::fwrite(safe.data(), 1, safe.size(), stdout) == safe.size() && std::fflush(stdout) == 0;
  };
  GenerationJob job;
  job.prompt = std::move(prompt.tokens);
  job.sampling = settings_.sampling;
  job.max_tokens = settings_.max_tokens > 0 ? settings_.max_tokens : std::numeric_limits<int32_t>::max();
  job.is_chat = true;
  job.grammar = settings_.grammar;
  auto done = Generate(session_, job, sink, InterruptScope::interrupted);
  if (!done) return std::move(done).error();
  const Generation& answer = **done;
  ++settings_.sampling.seed;  // so that asking again gives another answer
  if (std::fputc('\n', stdout) == EOF || std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return WriteError();
  if (!answer.text.empty() || answer.result.reason == FinishReason::kStop) {
    conversation_.Add("assistant", answer.text);
  }
  ReportEnd(answer.result);
  return {};
}

void ChatState::ReportEnd(const RequestResult& result) {
  if (result.reason == FinishReason::kCancelled) Note("(stopped)");
  const int32_t n_positions = result.n_prompt + result.n_generated;
  if (result.reason == FinishReason::kLength && n_positions >= session_.context_length) {
    Note(fmt::format("(the answer was cut: the context of {} tokens is full; --ctx makes it larger)",
                     session_.context_length));
  } else if (result.reason == FinishReason::kLength) {
    Note(fmt::format("(the answer was cut after {} tokens; -n or /set n allows more)", result.n_generated));
  }
  if (!is_quiet_) Note(fmt::format("[{}]", DescribeTimings(result)));
}

Status ChatState::Regenerate() {
  Conversation before = conversation_;
  if (!conversation_.DropLastAnswer()) {
    return Error{ErrorCode::kInvalidArgument, "there is no message to answer yet", ""};
  }
  return Answer(std::move(before));
}

Status ChatState::Save(const std::string& path) {
  if (path.empty()) return Error{ErrorCode::kInvalidArgument, "needs a file name: /save FILE", ""};
  RF_RETURN_IF_ERROR(SaveConversation(conversation_, session_.name, ExpandHome(path)));
  Note(fmt::format("{} messages saved.", conversation_.messages().size()));
  return {};
}

Status ChatState::Load(const std::string& path) {
  if (path.empty()) return Error{ErrorCode::kInvalidArgument, "needs a file name: /load FILE", ""};
  RF_ASSIGN_OR_RETURN(conversation_, LoadConversation(ExpandHome(path)));
  for (const ChatMessage& message : conversation_.messages()) {
    Note(fmt::format("{}: {}", message.role, EscapeForMessage(message.content, 100)));
  }
  Note(fmt::format("{} messages loaded.", conversation_.messages().size()));
  return {};
}

Status ChatState::Set(const std::string& text) {
  if (!text.empty()) RF_RETURN_IF_ERROR(ApplySetting(settings_, text, session_.hparams.n_vocab));
  fmt::print(stderr, "{}", DescribeSettings(settings_));
  return {};
}

void ChatState::SetSystem(const std::string& text) {
  if (!text.empty()) conversation_.set_system(text == "none" ? "" : text);
  const std::string& system = conversation_.system();
  Note(system.empty() ? "No system message of its own: the template's default, if it has one." : "System: " + system);
}

}  // namespace rf::app
