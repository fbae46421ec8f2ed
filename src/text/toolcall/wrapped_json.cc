#include "text/toolcall/wrapped_json.h"

namespace rf::toolcall {

Step WrappedJsonReader::Run(Input& in, CallSink& sink) {
  for (;;) {
    const bool is_inside = state_ == State::kKey || (state_ == State::kResponse && !scratch_.empty());
    if (!is_inside && state_ != State::kCalls) SkipSpace(in);
    if (in.AtEnd()) return Step::kMore;
    if (state_ == State::kAfterValue && in.Peek() == '}') {
      ++in.pos;
      return Step::kDone;
    }
    const Step step = Next(in, sink);
    if (step != Step::kDone) return step;
  }
}

Step WrappedJsonReader::Next(Input& in, CallSink& sink) {
  switch (state_) {
    case State::kBegin: return Expect(in, '{', State::kKeyOrEnd);
    case State::kKeyOrEnd:
      if (in.Peek() != '"' && in.Peek() != '\'') return Step::kFail;
      copier_ = JsonCopier();
      scratch_.clear();
      state_ = State::kKey;
      return Step::kDone;
    case State::kKey: return ReadKey(in, sink);
    case State::kColon: scratch_.clear(); return Expect(in, ':', value_);
    case State::kResponse: return ReadResponse(in, sink);
    case State::kCalls: {
      const Step step = calls_.Run(in, sink);
      if (step == Step::kDone) state_ = State::kAfterValue;
      return step;
    }
    case State::kAfterValue: return Expect(in, ',', State::kKeyOrEnd);
  }
  return Step::kFail;
}

Step WrappedJsonReader::Expect(Input& in, char c, State next) {
  if (in.Peek() != c) return Step::kFail;
  ++in.pos;
  state_ = next;
  return Step::kDone;
}

Step WrappedJsonReader::ReadKey(Input& in, CallSink& sink) {
  const Step step = copier_.Run(in, scratch_);
  if (step != Step::kDone) return step;
  const std::string key = DecodeString(scratch_);
  if (key != "response" && key != "tool_call" && key != "tool_calls") return Step::kFail;
  sink.draft.looks_sure = true;
  value_ = key == "response" ? State::kResponse : State::kCalls;
  calls_ = JsonCallReader(JsonCallShape::kNameAndArguments);
  copier_ = JsonCopier();
  state_ = State::kColon;
  return Step::kDone;
}

Step WrappedJsonReader::ReadResponse(Input& in, CallSink& sink) {
  if (scratch_.empty() && in.Peek() != '"' && in.Peek() != '\'') return Step::kFail;
  const Step step = copier_.Run(in, scratch_);
  if (step == Step::kFail) return step;
  GiveOut(sink, step == Step::kDone);
  if (step == Step::kDone) state_ = State::kAfterValue;
  return step;
}

// Decodes what is there of the string and keeps its opening quote, so that it stays one.
void WrappedJsonReader::GiveOut(CallSink& sink, bool is_whole) {
  if (!is_whole) scratch_ += '"';
  sink.Text(DecodeString(scratch_));
  scratch_.assign(1, '"');
}

}  // namespace rf::toolcall
