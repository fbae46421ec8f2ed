// Finds out how a model writes its replies, from what its chat template prints.
#pragma once

#include "text/template/chat.h"
#include "text/toolcall/format.h"

namespace rf {

/// What a reply is to be read with.
struct ReplyStyle {
  const toolcall::ToolFormat* format = nullptr;
  toolcall::ReasoningTags reasoning;
  /// Nothing in the template tells of tools: whoever wants calls must explain them to the model in a message
  /// (text/toolcall/instructions.h).
  bool needs_instructions = false;
};

/// Renders an assistant turn that reasons and makes a known call, and takes the format whose parser reads that call
/// back; then formats whose markers the template names where it describes tools; else "generic-json". Never by a
/// model's name. The tags of reasoning are those that the template prints.
ReplyStyle DetectReplyStyle(const ChatTemplate& chat_template);

/// For models without a template: "generic-json".
ReplyStyle DefaultReplyStyle();

}  // namespace rf
