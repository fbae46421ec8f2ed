// Saved chats: {"model": …, "messages": [{"role", "content"}]} as JSON.
#pragma once

#include <string>

#include "app/chat/conversation.h"
#include "base/result.h"

namespace rf::app {

/// "~/x" with the home folder in front.
std::string ExpandHome(const std::string& path);

/// Writes a chat; replaces an older saved chat, but no file of another kind. The file is complete or untouched.
/// Errors: kInvalidArgument (exists and is no chat), kIo.
Status SaveConversation(const Conversation& conversation, const std::string& model, const std::string& path);

/// Reads a chat, or a bare array of messages. Errors: kNotFound, kIo, kInvalidArgument.
Result<Conversation> LoadConversation(const std::string& path);

}  // namespace rf::app
