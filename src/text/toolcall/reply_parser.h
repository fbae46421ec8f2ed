// Takes a model's reply apart: text, reasoning, tool calls. As it comes, or whole.
//
// Whatever the reply is, parsing never fails: what is no valid call is text, and a warning says so. docs/toolcalls.md
// describes the formats and what happens to unfinished and broken calls.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/toolcall/format.h"
#include "text/toolcall/section.h"

namespace rf {

/// A part of a reply that has become certain.
struct ReplyDelta {
  enum class Kind {
    kContent,    ///< text for the user
    kReasoning,  ///< text of the reasoning span
    kCall,       ///< call `index` begins: `name`, and `id` if the format has ids and it is known yet
    kArguments,  ///< more JSON text of call `index`'s arguments
    kCallEnd,    ///< call `index` is whole; `id` if the format has ids
    kCallTaken,  ///< call `index` turned out to be none; it is to be forgotten. Only with stream_arguments
  };
  Kind kind;
  std::string text = {};  ///< of kContent, kReasoning, kArguments
  size_t index = 0;
  std::string name = {};
  std::string id = {};
};

struct ToolCall {
  std::string name;
  std::string arguments;  ///< JSON text of an object
  std::string id;         ///< empty if the format has none
};

/// A reply's parts put together.
struct ParsedReply {
  std::string content;
  std::string reasoning;
  std::vector<ToolCall> calls;
  std::optional<std::string> pending_name;  ///< of the call that was begun when the text stopped
  std::vector<std::string> warnings;
};

struct ReplyParserOptions {
  toolcall::ToolSchemas tools;
  /// Other tags of reasoning than the format's own.
  std::optional<toolcall::ReasoningTags> reasoning = std::nullopt;
  /// The end of the prompt: the reply may continue a reasoning span that it opened.
  std::string_view prompt_end = {};
  /// A call is given out while it is written. Since it may still break, it may then be taken back. False: it is given
  /// out when it is whole, and everything given out stands.
  bool stream_arguments = false;
  /// A call that is longer than this is text. Also the memory that a parser needs, about.
  size_t max_call_bytes = size_t{8} << 20;
};

/// Takes linear time.
class ReplyParser final : private toolcall::CallSink {
 public:
  ReplyParser(const toolcall::ToolFormat& format, ReplyParserOptions options);
  ReplyParser(const ReplyParser&) = delete;
  ReplyParser& operator=(const ReplyParser&) = delete;

  /// Takes more of the reply and appends what it makes certain. However the reply is cut, all texts joined and all
  /// calls are the same.
  void Feed(std::string_view text, std::vector<ReplyDelta>& deltas);
  /// Ends the reply. `is_truncated`: the model was stopped in the middle, so that an unfinished call or marker is left
  /// out; otherwise it becomes content.
  void Finish(bool is_truncated, std::vector<ReplyDelta>& deltas);

  /// The name of the call that is being read, once it is known.
  std::optional<std::string> pending_name() const;
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  enum class Mode { kContent, kReasoning, kSection };
  // Text of one kind: white space at its end is held back, for it is dropped in front of calls and reasoning.
  struct Channel {
    std::string space;
    bool has_text = false;
    bool skips_space = false;  // nothing but white space since a call, reasoning or a header
    bool breaks_line = false;  // a new line is due before the next text
  };

  void ContinuePrompt();
  void Run();
  bool RunContent();
  bool RunReasoning();
  bool RunSection();
  bool RepeatsOpening();
  toolcall::Step TakeMarker();
  bool MayOpen(const toolcall::Opener& opener) const;
  bool MayReason() const { return !tags_.open.empty() && !content_.has_text; }
  void BeginSection(toolcall::Program program, size_t n_taken, bool warns);
  void BeginReasoning();
  void EndSection();
  void FailSection();
  void EndReasoning();
  void Compact();
  void Write(Channel& channel, ReplyDelta::Kind kind, std::string_view text);
  void WriteContent(std::string_view text) { Write(content_, ReplyDelta::Kind::kContent, text); }
  void WriteReasoning(std::string_view text) { Write(reasoning_, ReplyDelta::Kind::kReasoning, text); }
  void Append(ReplyDelta::Kind kind, std::string_view text);
  void ShowDraft();
  void ResetDraft();

  void Complete(const toolcall::Input& in) override;
  void Text(std::string_view text) override { WriteContent(text); }

  const toolcall::ToolFormat& format_;
  ReplyParserOptions options_;
  toolcall::ReasoningTags tags_;
  std::string first_bytes_;  // of everything that text is searched for
  toolcall::Input in_;
  Mode mode_ = Mode::kContent;
  Channel content_, reasoning_;
  size_t raw_begin_ = 0;  // in a section: the text from here on becomes content if it fails
  bool warns_ = false;    // the section has a marker, so that its failing is worth a warning
  bool is_rejected_ = false;
  bool may_repeat_opening_ = false;  // the prompt opened the reasoning, and the model may do so again
  std::optional<toolcall::Section> section_;
  std::vector<ReplyDelta>* deltas_ = nullptr;  // only during Feed and Finish
  size_t n_calls_ = 0;
  bool is_shown_ = false;  // the draft's kCall is given out
  size_t n_shown_ = 0;     // bytes of its arguments that are
  std::vector<std::string> warnings_;
};

/// Puts deltas together again.
class ReplyBuilder {
 public:
  void Add(const ReplyDelta& delta);
  /// The parts; calls that were begun and not ended are left out.
  ParsedReply Build() const;

 private:
  struct Entry {
    ToolCall call;
    bool is_whole = false;
  };
  std::string content_, reasoning_;
  std::vector<Entry> calls_;
};

/// The whole reply at once.
ParsedReply ParseReply(const toolcall::ToolFormat& format, ReplyParserOptions options, std::string_view text,
                       bool is_truncated = false);

}  // namespace rf
