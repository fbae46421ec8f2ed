#include "text/toolcall/python_call.h"

namespace rf::toolcall {

Step PythonCallReader::Run(Input& in, CallSink& sink) {
  for (;;) {
    if (state_ == State::kAfterCall && !is_list_) return Step::kDone;
    if (state_ == State::kInside) {
      sink.draft.arguments.assign(1, '{');
      state_ = State::kArgumentOrEnd;
    }
    if (state_ != State::kValue) SkipSpace(in);
    if (in.AtEnd()) return Step::kMore;
    if (state_ == State::kAfterCall && in.Peek() == ']') {
      ++in.pos;
      return Step::kDone;
    }
    const Step step = Next(in, sink);
    if (step != Step::kDone) return step;
  }
}

Step PythonCallReader::Next(Input& in, CallSink& sink) {
  switch (state_) {
    case State::kBegin:
      is_list_ = in.Peek() == '[';
      return is_list_ ? Expect(in, '[', State::kName) : (state_ = State::kName, Step::kDone);
    case State::kName: {
      const Step step = TakeName(in, sink.draft.name);
      if (step == Step::kDone) state_ = State::kOpen;
      return step;
    }
    case State::kOpen: return Expect(in, '(', State::kInside);
    case State::kArgumentOrEnd: return in.Peek() == ')' ? CloseCall(in, sink) : BeginArgument(in, sink.draft);
    case State::kArgument: return ReadArgumentName(in, sink.draft);
    case State::kEquals: return Expect(in, '=', State::kValue);
    case State::kValue: return ReadValue(in, sink.draft);
    case State::kAfterValue: return in.Peek() == ')' ? CloseCall(in, sink) : Expect(in, ',', State::kArgumentOrEnd);
    case State::kAfterCall: return Expect(in, ',', State::kName);
    case State::kInside: break;
  }
  return Step::kFail;
}

Step PythonCallReader::Expect(Input& in, char c, State next) {
  if (in.Peek() != c) return Step::kFail;
  ++in.pos;
  state_ = next;
  return Step::kDone;
}

Step PythonCallReader::BeginArgument(Input&, Draft& draft) {
  draft.looks_sure = true;
  state_ = State::kArgument;
  return Step::kDone;
}

Step PythonCallReader::ReadArgumentName(Input& in, Draft& draft) {
  std::string name;
  const Step step = TakeRun(in, kMaxNameBytes, name, [](char c) { return IsNameByte(c) && c != ':' && c != '/'; });
  if (step != Step::kDone) return step;
  if (draft.arguments.size() > 1) draft.arguments += ',';
  draft.arguments += JsonString(name) + ':';
  copier_ = JsonCopier();
  state_ = State::kEquals;
  return Step::kDone;
}

Step PythonCallReader::ReadValue(Input& in, Draft& draft) {
  const Step step = copier_.Run(in, draft.arguments);
  if (step == Step::kDone) state_ = State::kAfterValue;
  return step;
}

Step PythonCallReader::CloseCall(Input& in, CallSink& sink) {
  ++in.pos;
  sink.draft.arguments += '}';
  state_ = State::kAfterCall;
  sink.Complete(in);
  return Step::kDone;
}

}  // namespace rf::toolcall
