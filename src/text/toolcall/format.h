// How a model writes its reply: reasoning, text and tool calls, as data.
//
// A format is a row of the table in formats.cc: the tags of reasoning, the texts that open a call, and behind
// each opener a short program of things to read. docs/toolcalls.md shows how to add one.
#pragma once

#include <span>
#include <string_view>

#include "text/toolcall/tag_arguments.h"

namespace rf::toolcall {

enum class OpKind {
  kToken,            ///< `text`, behind any white space
  kName,             ///< the function's name
  kId,               ///< the call's id: a run without white space and '<' or '['
  kNameInId,         ///< an id that holds the name: [functions.]NAME[:INDEX]
  kArguments,        ///< a JSON object
  kArgumentsOrCode,  ///< a JSON object, or program text up to `text` where the tool takes that
  kGemmaArguments,   ///< an object with bare keys and strings between <|"|>
  kTagArguments,     ///< `tags`
  kComplete,         ///< the call is whole; if a later token is missing, that is forgiven
  kRepeat,           ///< if `text` comes, take it and go on behind the program's first token of the same text
  kJsonCalls,        ///< JsonCallReader
  kNameKeyCalls,     ///< JsonCallReader, names as keys
  kOnlyCalls,        ///< JsonCallReader, known tools only
  kWrappedCalls,     ///< WrappedJsonReader
  kPythonCalls,      ///< PythonCallReader
  kPythonTag,        ///< behind <|python_tag|>: JSON, NAME.call(…) or program text
  kHarmony,          ///< HarmonyHeader: the name, or what kind of text follows
  kRecipientLine,    ///< functionary v3.2: "all" or a tool's name, up to the line's end
};

struct Op {
  OpKind kind;
  std::string_view text = {};
  const TagSyntax* tags = nullptr;
};

using Program = std::span<const Op>;

/// A text that begins something other than text.
struct Opener {
  std::string_view text;
  Program program;
  bool is_taken = true;        ///< false: the program reads it too
  bool only_at_start = false;  ///< nothing but white space, reasoning and calls may come before
  bool needs_tools = true;     ///< without tools it is text
  bool at_word_start = false;  ///< white space or nothing must be in front
};

struct ReasoningTags {
  std::string_view open;
  std::string_view close;
};

inline constexpr ReasoningTags kThinkTags = {"<think>", "</think>"};

struct ToolFormat {
  std::string_view name;
  ReasoningTags reasoning = kThinkTags;
  std::span<const Opener> openers;
  std::span<const std::string_view> ignored = {};  ///< markers that mean nothing to the user
  Program start = {};                              ///< what a reply begins with, because the prompt has opened it
  std::string_view prompt_end = {};                ///< with `start`: what the prompt ends with then
  /// What templates that never print a call of this format introduce the tools with, where no marker tells.
  std::string_view description = {};
};

/// All formats, in the order in which detection prefers them.
std::span<const ToolFormat> AllFormats();

/// The format of this name, or nullptr.
const ToolFormat* FindFormat(std::string_view name);

}  // namespace rf::toolcall
