// Reads calls in Python's syntax: [f(x='a', y=1), g()].
#pragma once

#include <string>

#include "text/toolcall/json_copier.h"

namespace rf::toolcall {

/// A list of calls in brackets, one call without them, or only the parenthesis of one whose name is read already.
/// Arguments have names; values are those that JsonCopier reads. Each call is completed when its parenthesis closes.
class PythonCallReader {
 public:
  /// `is_inside`: the text begins behind the opening parenthesis, and draft.name is set.
  explicit PythonCallReader(bool is_inside) : state_(is_inside ? State::kInside : State::kBegin) {}
  Step Run(Input& in, CallSink& sink);

 private:
  enum class State {
    kBegin,
    kName,
    kOpen,
    kInside,
    kArgumentOrEnd,
    kArgument,
    kEquals,
    kValue,
    kAfterValue,
    kAfterCall
  };

  Step Next(Input& in, CallSink& sink);
  Step BeginArgument(Input& in, Draft& draft);
  Step ReadArgumentName(Input& in, Draft& draft);
  Step ReadValue(Input& in, Draft& draft);
  Step Expect(Input& in, char c, State next);
  Step CloseCall(Input& in, CallSink& sink);

  State state_;
  bool is_list_ = false;
  JsonCopier copier_;
};

}  // namespace rf::toolcall
