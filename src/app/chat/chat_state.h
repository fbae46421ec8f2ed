// The state of a chat and what its commands do to it.
#pragma once

#include <string>

#include "app/chat/chat_input.h"
#include "app/chat/conversation.h"
#include "app/chat/settings.h"
#include "app/style.h"
#include "base/result.h"
#include "engine/model_session.h"
#include "engine/request.h"

namespace rf::app {

class ChatState {
 public:
  ChatState(ModelSession& session, std::string system, const ChatSettings& settings, bool is_quiet);

  /// Does what the input says. False: leave. Errors are about this input only, but for kIo of standard output.
  Result<bool> Handle(const ChatInput& input);

  /// Adds the user's message and answers it. Without an answer the message is taken back.
  Status Say(const std::string& message);

 private:
  /// Answers the last message; if no answer comes, the conversation is `before` again.
  Status Answer(Conversation before);
  Status Stream();
  Status Regenerate();
  Status Save(const std::string& path);
  Status Load(const std::string& path);
  Status Set(const std::string& text);
  void SetSystem(const std::string& text);
  void ReportEnd(const RequestResult& result);
  void Note(const std::string& text) const;

  ModelSession& session_;
  Conversation conversation_;
  ChatSettings settings_;
  bool is_quiet_;
  bool is_terminal_;
  Style out_style_;
  Style note_style_;
};

}  // namespace rf::app
