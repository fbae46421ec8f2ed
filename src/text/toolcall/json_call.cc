#include "text/toolcall/json_call.h"

#include <utility>

namespace rf::toolcall {

Step JsonCallReader::Run(Input& in, CallSink& sink) {
  for (;;) {
    if (state_ == State::kAfterCall && !is_list_) return Step::kDone;
    const bool is_inside = state_ == State::kKey || (state_ == State::kValue && !scratch_.empty()) || copies_arguments_;
    if (!is_inside) SkipSpace(in);
    if (in.AtEnd()) return Step::kMore;
    if (is_list_ && (state_ == State::kAfterCall || state_ == State::kElement) && in.Peek() == ']') {
      ++in.pos;
      return Step::kDone;
    }
    const Step step = Next(in, sink);
    if (step != Step::kDone) return step;
  }
}

Step JsonCallReader::Next(Input& in, CallSink& sink) {
  switch (state_) {
    case State::kBegin:
      if (in.Peek() != '[') return OpenObject(in);
      is_list_ = true;
      ++in.pos;
      state_ = State::kFirst;
      return Step::kDone;
    case State::kFirst:
    case State::kElement: return OpenObject(in);
    case State::kKeyOrEnd:
      if (in.Peek() == '}') return CloseObject(in, sink);
      if (in.Peek() != '"' && in.Peek() != '\'') return Step::kFail;
      copier_ = JsonCopier();
      scratch_.clear();
      state_ = State::kKey;
      return Step::kDone;
    case State::kKey: return ReadKey(in, sink.draft);
    case State::kColon:
      if (in.Peek() != ':') return Step::kFail;
      ++in.pos;
      scratch_.clear();
      state_ = State::kValue;
      return Step::kDone;
    case State::kValue: return ReadValue(in, sink.draft);
    case State::kAfterValue: return AfterValue(in, sink);
    case State::kAfterCall: return AfterCall(in);
  }
  return Step::kFail;
}

Step JsonCallReader::OpenObject(Input& in) {
  if (in.Peek() != '{') return Step::kFail;
  ++in.pos;
  is_nested_ = has_name_ = has_arguments_ = false;
  state_ = State::kKeyOrEnd;
  return Step::kDone;
}

JsonCallReader::Role JsonCallReader::RoleOf(const std::string& key) const {
  if (key == "name" || key == "tool_name") return Role::kName;
  if (key == "arguments" || key == "parameters") return Role::kArguments;
  if (key == "id" || key == "tool_call_id") return Role::kId;
  return key == "function" && !is_nested_ ? Role::kNested : Role::kOther;
}

Step JsonCallReader::ReadKey(Input& in, Draft& draft) {
  const Step step = copier_.Run(in, scratch_);
  if (step != Step::kDone) return step;
  const std::string key = DecodeString(scratch_);
  state_ = State::kColon;
  if (shape_ == JsonCallShape::kNameAsKey) {
    if (!draft.name.empty() || key.empty()) return Step::kFail;
    draft.name = key;
    role_ = Role::kArguments;
    return Step::kDone;
  }
  role_ = RoleOf(key);
  const bool is_foreign = role_ == Role::kOther && key != "type";
  return shape_ == JsonCallShape::kCallsOnly && is_foreign ? Step::kFail : Step::kDone;
}

Step JsonCallReader::ReadValue(Input& in, Draft& draft) {
  if (scratch_.empty() && !copies_arguments_) {
    const Step begun = BeginValue(in);
    if (begun != Step::kDone || state_ != State::kValue) return begun;
    if (copies_arguments_) draft.arguments.clear();
  }
  const Step step = copier_.Run(in, copies_arguments_ ? draft.arguments : scratch_);
  return step == Step::kDone ? EndValue(draft) : step;
}

// Looks at the value's first byte: some roles take only some kinds of value.
Step JsonCallReader::BeginValue(Input& in) {
  const char c = in.Peek();
  const bool is_string = c == '"' || c == '\'';
  copier_ = JsonCopier();
  if (role_ == Role::kNested && c == '{') {
    ++in.pos;
    is_nested_ = true;
    state_ = State::kKeyOrEnd;
    return Step::kDone;
  }
  if (role_ == Role::kNested) role_ = is_string ? Role::kName : Role::kOther;
  if (role_ == Role::kName && (!is_string || has_name_)) return Step::kFail;
  if (role_ == Role::kArguments && has_arguments_) return Step::kFail;
  copies_arguments_ = role_ == Role::kArguments && c == '{';
  return Step::kDone;
}

Step JsonCallReader::EndValue(Draft& draft) {
  state_ = State::kAfterValue;
  const std::string text = std::exchange(scratch_, {});
  if (role_ == Role::kName) {
    has_name_ = true;
    draft.name = DecodeString(text);
    return draft.name.empty() ? Step::kFail : Step::kDone;
  }
  if (role_ == Role::kId) draft.id = text.starts_with('"') ? DecodeString(text) : text;
  if (role_ != Role::kArguments) return Step::kDone;
  has_arguments_ = true;
  if (std::exchange(copies_arguments_, false)) return Step::kDone;
  if (text == "null") return Step::kDone;
  draft.arguments.clear();
  const std::string inner = DecodeString(text);
  const bool is_object = CopyWhole(inner, draft.arguments) && draft.arguments.starts_with('{');
  return is_object ? Step::kDone : Step::kFail;
}

Step JsonCallReader::AfterValue(Input& in, CallSink& sink) {
  if (in.Peek() == '}') return CloseObject(in, sink);
  if (in.Peek() != ',') return Step::kFail;
  ++in.pos;
  state_ = State::kKeyOrEnd;
  return Step::kDone;
}

Step JsonCallReader::CloseObject(Input& in, CallSink& sink) {
  if (is_nested_) {
    ++in.pos;
    is_nested_ = false;
    state_ = State::kAfterValue;
    return Step::kDone;
  }
  if (sink.draft.name.empty() || (shape_ == JsonCallShape::kCallsOnly && !has_arguments_)) return Step::kFail;
  ++in.pos;
  state_ = State::kAfterCall;
  sink.Complete(in);
  return Step::kDone;
}

// Between the calls of a list.
Step JsonCallReader::AfterCall(Input& in) {
  if (in.Peek() != ',') return Step::kFail;
  ++in.pos;
  state_ = State::kElement;
  return Step::kDone;
}

}  // namespace rf::toolcall
