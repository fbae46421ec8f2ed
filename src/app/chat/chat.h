// A conversation with a model on a terminal.
#pragma once

#include <string>

#include "app/chat/settings.h"
#include "base/result.h"
#include "engine/model_session.h"

namespace rf::app {

struct ChatOptions {
  std::string model;   ///< as the user names it, for messages
  std::string system;  ///< the system message; empty: the template's own, if it has one
  ChatSettings settings;
  bool is_quiet = false;      ///< no greeting, no timing line
  bool keeps_history = true;  ///< lines are kept for the next chat
};

/// Success if the model can chat. Errors: kUnsupported naming the model and what to do instead if it has no chat
/// template; kCorruptFile if it has one that cannot be used.
Status CheckCanChat(const ModelSession& session, const std::string& model);

/// Reads messages and commands until the user leaves. Errors of single answers are shown and do not end it.
/// Errors: those of CheckCanChat; kIo if standard output cannot be written.
Status RunChat(ModelSession& session, const ChatOptions& options);

/// Answers one prompt on standard output. Errors: as RunChat, and those of the answer.
Status AnswerOnce(ModelSession& session, const ChatOptions& options, const std::string& prompt);

}  // namespace rf::app
