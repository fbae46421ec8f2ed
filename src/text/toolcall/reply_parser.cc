#include "text/toolcall/reply_parser.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf {

using toolcall::IsSpace;
using toolcall::Opener;
using toolcall::Section;
using toolcall::Step;

namespace {

constexpr std::string_view kSpaces = " \n\t\r";
constexpr size_t kMaxWarnings = 8;
constexpr size_t kMaxShownBytes = 80;
constexpr size_t kMaxContinuedBytes = 256;  // of a header that the prompt has begun
constexpr size_t kCompactBytes = 4096;

std::string FirstBytes(const toolcall::ToolFormat& format, const toolcall::ReasoningTags& tags) {
  std::string bytes;
  const auto add = [&bytes](std::string_view text) {
    if (!text.empty() && bytes.find(text[0]) == std::string::npos) bytes += text[0];
  };
  add(tags.open);
  for (const Opener& opener : format.openers) add(opener.text);
  for (const std::string_view text : format.ignored) add(text);
  return bytes;
}

}  // namespace

ReplyParser::ReplyParser(const toolcall::ToolFormat& format, ReplyParserOptions options)
    : format_(format),
      options_(std::move(options)),
      tags_(options_.reasoning.value_or(format.reasoning)),
      first_bytes_(FirstBytes(format, tags_)) {
  reasoning_.skips_space = true;
  ContinuePrompt();
  options_.prompt_end = {};
}

// Where the prompt stopped: in a header, in reasoning, or in front of plain text.
void ReplyParser::ContinuePrompt() {
  const std::string_view prompt = options_.prompt_end.substr(0, options_.prompt_end.find_last_not_of(kSpaces) + 1);
  if (MayReason() && prompt.ends_with(tags_.open)) {
    BeginReasoning();
    may_repeat_opening_ = true;
    return;
  }
  if (format_.start.empty()) return;
  const size_t begin = options_.prompt_end.rfind(format_.prompt_end);
  if (!options_.prompt_end.empty() && begin == std::string_view::npos) return;
  BeginSection(format_.start, 0, /*warns=*/false);
  if (options_.prompt_end.empty()) return;
  const std::string_view begun = options_.prompt_end.substr(begin + format_.prompt_end.size());
  std::vector<ReplyDelta> nothing;
  if (begun.size() <= kMaxContinuedBytes) Feed(begun, nothing);
}

void ReplyParser::Feed(std::string_view text, std::vector<ReplyDelta>& deltas) {
  deltas_ = &deltas;
  while (!text.empty()) {
    Compact();
    // Never more than one call may have, so that where a call becomes too long does not depend on the cuts.
    const size_t begin = mode_ == Mode::kSection ? raw_begin_ : in_.pos;
    const size_t n_free =
        std::max<size_t>(1, options_.max_call_bytes - std::min(options_.max_call_bytes, in_.text.size() - begin));
    const size_t n_bytes = std::min(text.size(), n_free);
    in_.text += text.substr(0, n_bytes);
    text.remove_prefix(n_bytes);
    Run();
    if (mode_ == Mode::kSection && in_.text.size() - raw_begin_ >= options_.max_call_bytes) {
      FailSection();
      Run();
    }
  }
  ShowDraft();
  deltas_ = nullptr;
}

void ReplyParser::Finish(bool is_truncated, std::vector<ReplyDelta>& deltas) {
  deltas_ = &deltas;
  if (!is_truncated) {
    in_.is_ended = true;
    Run();
  }
  const bool has_partial_marker = !in_.AtEnd();
  if (mode_ == Mode::kContent && !content_.skips_space && !has_partial_marker) {
    Append(ReplyDelta::Kind::kContent, std::exchange(content_.space, {}));
  }
  deltas_ = nullptr;
}

std::optional<std::string> ReplyParser::pending_name() const {
  const bool is_known = mode_ == Mode::kSection && !draft.name.empty() && section_->may_show_early(draft);
  return is_known ? std::optional(draft.name) : std::nullopt;
}

// Forgets what is read, but for one byte, which tells where words begin.
void ReplyParser::Compact() {
  const size_t needed = mode_ == Mode::kSection ? raw_begin_ : in_.pos;
  if (needed < kCompactBytes || needed < in_.text.size() / 2) return;
  in_.text.erase(0, needed - 1);
  in_.pos -= needed - 1;
  raw_begin_ = 1;
}

void ReplyParser::Run() {
  bool goes_on = true;
  while (goes_on) {
    switch (mode_) {
      case Mode::kContent: goes_on = RunContent(); break;
      case Mode::kReasoning: goes_on = RunReasoning(); break;
      case Mode::kSection: goes_on = RunSection(); break;
    }
  }
}

// False: more text is needed.
bool ReplyParser::RunContent() {
  size_t next = in_.pos;
  for (;;) {
    next = in_.text.find_first_of(first_bytes_, next);
    if (next == std::string::npos) next = in_.text.size();
    WriteContent(std::string_view(in_.text).substr(in_.pos, next - in_.pos));
    in_.pos = next;
    if (in_.AtEnd()) return false;
    const Step step = TakeMarker();
    if (step == Step::kDone) return true;
    if (step == Step::kMore) return false;
    ++next;
  }
}

// What begins at in_.pos. kMore: a marker, perhaps.
Step ReplyParser::TakeMarker() {
  bool may_follow = false;
  const auto take = [&](std::string_view marker) {
    const Step step = TakeLiteral(in_, marker);
    may_follow = may_follow || step == Step::kMore;
    return step == Step::kDone;
  };
  if (MayReason() && take(tags_.open)) {
    BeginReasoning();
    return Step::kDone;
  }
  for (const std::string_view marker : format_.ignored) {
    if (take(marker)) return Step::kDone;
  }
  for (const Opener& opener : format_.openers) {
    if (!MayOpen(opener) || !take(opener.text)) continue;
    in_.pos -= opener.text.size();
    BeginSection(opener.program, opener.is_taken ? opener.text.size() : 0, opener.is_taken);
    return Step::kDone;
  }
  return may_follow ? Step::kMore : Step::kFail;
}

bool ReplyParser::MayOpen(const Opener& opener) const {
  if (opener.needs_tools && options_.tools.empty()) return false;
  if (opener.only_at_start && content_.has_text) return false;
  return !opener.at_word_start || in_.pos == 0 || IsSpace(in_.text[in_.pos - 1]);
}

void ReplyParser::BeginSection(toolcall::Program program, size_t n_taken, bool warns) {
  mode_ = Mode::kSection;
  raw_begin_ = in_.pos;
  in_.pos += n_taken;
  warns_ = warns;
  is_rejected_ = false;
  section_.emplace(program, options_.tools);
  ResetDraft();
}

void ReplyParser::BeginReasoning() {
  mode_ = Mode::kReasoning;
  content_.space.clear();
}

bool ReplyParser::RunSection() {
  const Step step = section_->Run(in_, *this);
  if (is_rejected_) {
    FailSection();
    return true;
  }
  if (step == Step::kMore && !in_.is_ended) return false;
  if (step == Step::kDone) {
    EndSection();
  } else if (section_->is_forgivable()) {
    in_.pos = raw_begin_;
    mode_ = Mode::kContent;
  } else {
    FailSection();
  }
  return true;
}

void ReplyParser::EndSection() {
  const Section::Follows follows = section_->follows();
  mode_ = Mode::kContent;
  if (follows == Section::Follows::kReasoning) BeginReasoning();
  if (follows == Section::Follows::kContent) {
    content_.space.clear();
    content_.skips_space = true;
    content_.breaks_line = content_.has_text;
  }
}

// What was read since the last whole call is text.
void ReplyParser::FailSection() {
  if (is_shown_) deltas_->push_back({.kind = ReplyDelta::Kind::kCallTaken, .index = n_calls_++});
  const std::string_view raw = std::string_view(in_.text).substr(raw_begin_, in_.pos - raw_begin_);
  if ((warns_ || draft.looks_sure || !draft.name.empty()) && warnings_.size() < kMaxWarnings) {
    warnings_.push_back(fmt::format("what looks like a tool call ({}) is none and was left as text: \"{}\"",
                                    format_.name, EscapeForMessage(raw, kMaxShownBytes)));
  }
  mode_ = Mode::kContent;
  WriteContent(raw);
  ResetDraft();
}

void ReplyParser::Complete(const toolcall::Input& in) {
  is_rejected_ = is_rejected_ || !section_->may_show_early(draft);
  if (is_rejected_) return;
  if (draft.arguments.empty()) draft.arguments.append("{}");
  if (!is_shown_) {
    deltas_->push_back({.kind = ReplyDelta::Kind::kCall, .index = n_calls_, .name = draft.name, .id = draft.id});
  }
  if (n_shown_ < draft.arguments.size()) {
    deltas_->push_back(
        {.kind = ReplyDelta::Kind::kArguments, .text = draft.arguments.substr(n_shown_), .index = n_calls_});
  }
  deltas_->push_back({.kind = ReplyDelta::Kind::kCallEnd, .index = n_calls_++, .id = draft.id});
  ResetDraft();
  raw_begin_ = in.pos;
  content_.space.clear();
  content_.skips_space = true;
  content_.breaks_line = content_.has_text;
}

// With stream_arguments: gives out what is new of the call being read. Its id comes with its name, so both wait for the
// arguments.
void ReplyParser::ShowDraft() {
  if (!options_.stream_arguments || draft.arguments.empty() || !pending_name()) return;
  if (!std::exchange(is_shown_, true)) {
    deltas_->push_back({.kind = ReplyDelta::Kind::kCall, .index = n_calls_, .name = draft.name, .id = draft.id});
  }
  if (n_shown_ == draft.arguments.size()) return;
  deltas_->push_back(
      {.kind = ReplyDelta::Kind::kArguments, .text = draft.arguments.substr(n_shown_), .index = n_calls_});
  n_shown_ = draft.arguments.size();
}

void ReplyParser::ResetDraft() {
  draft = {};
  is_shown_ = false;
  n_shown_ = 0;
}

bool ReplyParser::RunReasoning() {
  if (may_repeat_opening_ && RepeatsOpening()) return false;
  const size_t close = in_.text.find(tags_.close, in_.pos);
  size_t certain = close;
  if (close == std::string::npos) {
    certain = in_.text.size() - (in_.is_ended ? 0 : toolcall::PartialMatch(in_.Rest(), tags_.close));
  }
  WriteReasoning(std::string_view(in_.text).substr(in_.pos, certain - in_.pos));
  in_.pos = certain;
  if (close == std::string::npos) return false;
  in_.pos += tags_.close.size();
  EndReasoning();
  return true;
}

// Skips an opening tag that the prompt has written already. True: more text is needed.
bool ReplyParser::RepeatsOpening() {
  const Step step = TakeToken(in_, tags_.open);
  may_repeat_opening_ = step == Step::kMore;
  return step == Step::kMore;
}

void ReplyParser::EndReasoning() {
  mode_ = Mode::kContent;
  reasoning_.space.clear();
  reasoning_.skips_space = true;
  reasoning_.breaks_line = reasoning_.has_text;
  content_.skips_space = true;
}

void ReplyParser::Write(Channel& channel, ReplyDelta::Kind kind, std::string_view text) {
  if (channel.skips_space) {
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(kSpaces)));
    if (text.empty()) return;
    channel.skips_space = false;
    channel.space.assign(std::exchange(channel.breaks_line, false) ? 1 : 0, '\n');
  }
  const size_t end = text.find_last_not_of(kSpaces) + 1;
  if (end == 0) {
    channel.space += text;
    return;
  }
  Append(kind, std::exchange(channel.space, {}));
  Append(kind, text.substr(0, end));
  channel.space = text.substr(end);
  channel.has_text = true;
}

void ReplyParser::Append(ReplyDelta::Kind kind, std::string_view text) {
  if (text.empty()) return;
  if (deltas_->empty() || deltas_->back().kind != kind) deltas_->push_back({.kind = kind});
  deltas_->back().text += text;
}

void ReplyBuilder::Add(const ReplyDelta& delta) {
  using Kind = ReplyDelta::Kind;
  if (delta.kind == Kind::kContent) content_ += delta.text;
  if (delta.kind == Kind::kReasoning) reasoning_ += delta.text;
  if (delta.kind == Kind::kContent || delta.kind == Kind::kReasoning) return;
  if (delta.kind == Kind::kCall) calls_.resize(std::max(calls_.size(), delta.index + 1));
  if (delta.index >= calls_.size()) return;
  Entry& entry = calls_[delta.index];
  if (delta.kind == Kind::kCall) entry.call = {delta.name, "", delta.id};
  if (delta.kind == Kind::kArguments) entry.call.arguments += delta.text;
  entry.is_whole = delta.kind == Kind::kCallEnd;
  if (entry.is_whole) entry.call.id = delta.id;
}

ParsedReply ReplyBuilder::Build() const {
  ParsedReply reply{content_, reasoning_, {}, {}, {}};
  for (const Entry& entry : calls_) {
    if (entry.is_whole) reply.calls.push_back(entry.call);
  }
  return reply;
}

ParsedReply ParseReply(const toolcall::ToolFormat& format, ReplyParserOptions options, std::string_view text,
                       bool is_truncated) {
  ReplyParser parser(format, std::move(options));
  std::vector<ReplyDelta> deltas;
  parser.Feed(text, deltas);
  parser.Finish(is_truncated, deltas);
  ReplyBuilder builder;
  for (const ReplyDelta& delta : deltas) builder.Add(delta);
  ParsedReply reply = builder.Build();
  if (is_truncated) reply.pending_name = parser.pending_name();
  reply.warnings = parser.warnings();
  return reply;
}

}  // namespace rf
