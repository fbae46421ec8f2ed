#include "text/toolcall/section.h"

#include <algorithm>

namespace rf::toolcall {
namespace {

constexpr size_t kMaxIdBytes = 256;
constexpr JsonDialect kGemmaDialect{.quote = kGemmaQuote, .bare_keys_only = true};
constexpr std::string_view kCallSuffix = ".call(";
constexpr std::string_view kFunctions = "functions.";

bool IsIdByte(char c) {
  return !IsSpace(c) && c != '<' && c != '[';
}

Step TakeId(Input& in, std::string& id) {
  SkipSpace(in);
  return TakeRun(in, kMaxIdBytes, id, IsIdByte);
}

}  // namespace

// The reader of the current op; a new one if there is none.
template <typename T, typename... Args>
T& Section::Get(Args&&... args) {
  T* reader = std::get_if<T>(&reader_);
  return reader != nullptr ? *reader : reader_.emplace<T>(std::forward<Args>(args)...);
}

Step Section::Run(Input& in, CallSink& sink) {
  while (op_ < program_.size() && follows_ == Follows::kSame) {
    const Op& op = program_[op_];
    if (op.kind == OpKind::kRepeat) {
      const Step step = Repeat(op, in);
      if (step != Step::kDone) return step;
      continue;
    }
    const Step step = RunOp(op, in, sink);
    if (step != Step::kDone) return step;
    reader_.emplace<std::monostate>();
    ++op_;
  }
  return Step::kDone;
}

Step Section::Repeat(const Op& op, Input& in) {
  const Step step = TakeToken(in, op.text);
  if (step == Step::kMore) return step;
  ++op_;
  if (step == Step::kFail) return Step::kDone;
  const auto first = std::find_if(program_.begin(), program_.end(), [&op](const Op& other) {
    return other.kind == OpKind::kToken && other.text == op.text;
  });
  op_ = static_cast<size_t>(first - program_.begin()) + 1;
  is_closing_ = false;
  return Step::kDone;
}

Step Section::RunOp(const Op& op, Input& in, CallSink& sink) {
  switch (op.kind) {
    case OpKind::kToken: return TakeToken(in, op.text);
    case OpKind::kRepeat: return Repeat(op, in);
    case OpKind::kName:
    case OpKind::kId:
    case OpKind::kNameInId:
    case OpKind::kHarmony:
    case OpKind::kRecipientLine: return RunName(op, in, sink.draft);
    case OpKind::kArguments:
    case OpKind::kArgumentsOrCode:
    case OpKind::kGemmaArguments:
    case OpKind::kTagArguments: return RunArguments(op, in, sink.draft);
    case OpKind::kComplete:
      sink.Complete(in);
      is_closing_ = true;
      return Step::kDone;
    case OpKind::kJsonCalls:
    case OpKind::kNameKeyCalls:
    case OpKind::kOnlyCalls:
    case OpKind::kWrappedCalls:
    case OpKind::kPythonCalls:
    case OpKind::kPythonTag: return RunCalls(op, in, sink);
  }
  return Step::kFail;
}

Step Section::RunName(const Op& op, Input& in, Draft& draft) {
  switch (op.kind) {
    case OpKind::kName: return TakeName(in, draft.name);
    case OpKind::kId: return TakeId(in, draft.id);
    case OpKind::kNameInId: return RunNameInId(in, draft);
    case OpKind::kHarmony: return RunHarmony(in, draft);
    default: return RunRecipientLine(in, draft);
  }
}

// functions.NAME:INDEX, where either end may be missing.
Step Section::RunNameInId(Input& in, Draft& draft) {
  const Step step = TakeId(in, draft.id);
  if (step != Step::kDone) return step;
  std::string_view name = draft.id;
  if (name.starts_with(kFunctions)) name.remove_prefix(kFunctions.size());
  if (const size_t colon = name.rfind(':'); colon != std::string_view::npos) name = name.substr(0, colon);
  draft.name = name;
  return name.empty() ? Step::kFail : Step::kDone;
}

Step Section::RunArguments(const Op& op, Input& in, Draft& draft) {
  switch (op.kind) {
    case OpKind::kArguments: return RunObject({}, in, draft);
    case OpKind::kGemmaArguments: return RunObject(kGemmaDialect, in, draft);
    case OpKind::kTagArguments: return Get<TagArgumentsReader>(*op.tags).Run(in, draft, schemas_);
    default: return RunArgumentsOrCode(op, in, draft);
  }
}

Step Section::RunObject(JsonDialect dialect, Input& in, Draft& draft) {
  if (std::holds_alternative<std::monostate>(reader_)) {
    SkipSpace(in);
    if (in.AtEnd()) return Step::kMore;
    if (in.Peek() != '{') return Step::kFail;
    draft.arguments.clear();
  }
  return Get<JsonCopier>(dialect).Run(in, draft.arguments);
}

Step Section::RunArgumentsOrCode(const Op& op, Input& in, Draft& draft) {
  if (std::holds_alternative<std::monostate>(reader_)) {
    SkipSpace(in);
    if (in.AtEnd()) return Step::kMore;
    is_code_ = in.Peek() != '{' && schemas_.TakesCode(draft.name);
  }
  return is_code_ ? Get<CodeReader>(op.text).Run(in, draft, schemas_) : RunObject({}, in, draft);
}

Step Section::RunCalls(const Op& op, Input& in, CallSink& sink) {
  Step step = Step::kFail;
  switch (op.kind) {
    case OpKind::kNameKeyCalls: step = Get<JsonCallReader>(JsonCallShape::kNameAsKey).Run(in, sink); break;
    case OpKind::kWrappedCalls: step = Get<WrappedJsonReader>().Run(in, sink); break;
    case OpKind::kPythonCalls: step = Get<PythonCallReader>(/*is_inside=*/false).Run(in, sink); break;
    case OpKind::kPythonTag: step = RunPythonTag(in, sink); break;
    case OpKind::kOnlyCalls:
      needs_known_name_ = true;
      step = Get<JsonCallReader>(JsonCallShape::kCallsOnly).Run(in, sink);
      break;
    default: step = Get<JsonCallReader>(JsonCallShape::kNameAndArguments).Run(in, sink); break;
  }
  is_closing_ = is_closing_ || step == Step::kDone;
  return step;
}

Step Section::RunPythonTag(Input& in, CallSink& sink) {
  if (std::holds_alternative<std::monostate>(reader_)) {
    const Step step = ChoosePythonTag(in, sink.draft);
    if (step != Step::kDone) return step;
  }
  if (auto* json = std::get_if<JsonCallReader>(&reader_)) return json->Run(in, sink);
  if (auto* call = std::get_if<PythonCallReader>(&reader_)) return call->Run(in, sink);
  const Step step = std::get<CodeReader>(reader_).Run(in, sink.draft, schemas_);
  if (step == Step::kDone) sink.Complete(in);
  return step;
}

// JSON, a built-in tool as NAME.call(…), or else program text.
Step Section::ChoosePythonTag(Input& in, Draft& draft) {
  SkipSpace(in);
  if (in.AtEnd()) return Step::kMore;
  if (in.Peek() == '{' || in.Peek() == '[') {
    reader_.emplace<JsonCallReader>(JsonCallShape::kNameAndArguments);
    return Step::kDone;
  }
  size_t end = in.pos;
  const size_t limit = std::min(in.text.size(), in.pos + kMaxNameBytes);
  while (end < limit && IsNameByte(in.text[end]) && in.text[end] != '.') ++end;
  const std::string_view rest = std::string_view(in.text).substr(end);
  const std::string_view name = std::string_view(in.text).substr(in.pos, end - in.pos);
  if (rest.starts_with(kCallSuffix) && schemas_.Has(name)) {
    draft.name = name;
    in.pos = end + kCallSuffix.size();
    reader_.emplace<PythonCallReader>(/*is_inside=*/true);
    return Step::kDone;
  }
  const bool may_follow = end < in.pos + kMaxNameBytes && kCallSuffix.starts_with(rest);
  if (may_follow && !in.is_ended) return Step::kMore;
  draft.name = schemas_.CodeTool();
  if (draft.name.empty()) return Step::kFail;
  reader_.emplace<CodeReader>("");
  return Step::kDone;
}

Step Section::RunHarmony(Input& in, Draft& draft) {
  HarmonyHeader& header = Get<HarmonyHeader>();
  const Step step = header.Run(in);
  if (step != Step::kDone) return step;
  std::string_view name = header.recipient();
  const bool is_function = name.starts_with(kFunctions) && !schemas_.empty();
  if (name.empty() || name == "all" || name == "user") {
    follows_ = header.channel() == "analysis" ? Follows::kReasoning : Follows::kContent;
    return Step::kDone;
  }
  if (!is_function && !schemas_.Has(name)) return Step::kFail;
  if (is_function) name.remove_prefix(kFunctions.size());
  draft.name = name;
  return name.empty() ? Step::kFail : Step::kDone;
}

Step Section::RunRecipientLine(Input& in, Draft& draft) {
  std::string name;
  const size_t begin = in.pos;
  const Step step = TakeRun(in, kMaxNameBytes, name, IsNameByte);
  if (step != Step::kDone) return step;
  if (in.AtEnd() || (in.Peek() != '\n' && in.Peek() != '{') || (name != "all" && !schemas_.Has(name))) {
    in.pos = begin;
    return Step::kFail;
  }
  if (name == "all") {
    follows_ = Follows::kContent;
    ++in.pos;
  } else {
    draft.name = name;
  }
  return Step::kDone;
}

}  // namespace rf::toolcall
