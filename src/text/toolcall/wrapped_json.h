// Reads the convention for models whose template knows no tools.
#pragma once

#include <string>

#include "text/toolcall/json_call.h"

namespace rf::toolcall {

/// {"response": TEXT}, {"tool_call": CALL} or {"tool_calls": [CALL, …]}. TEXT is given out as it comes.
class WrappedJsonReader {
 public:
  Step Run(Input& in, CallSink& sink);

 private:
  enum class State { kBegin, kKeyOrEnd, kKey, kColon, kResponse, kCalls, kAfterValue };

  Step Next(Input& in, CallSink& sink);
  Step ReadKey(Input& in, CallSink& sink);
  Step ReadResponse(Input& in, CallSink& sink);
  Step Expect(Input& in, char c, State next);
  void GiveOut(CallSink& sink, bool is_whole);

  State state_ = State::kBegin;
  State value_ = State::kCalls;
  JsonCopier copier_;
  JsonCallReader calls_{JsonCallShape::kNameAndArguments};
  std::string scratch_;
};

}  // namespace rf::toolcall
