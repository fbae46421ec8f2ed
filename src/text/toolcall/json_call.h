// Reads calls that are JSON objects: {"name": …, "arguments": {…}}, alone or in a list.
#pragma once

#include <string>

#include "text/toolcall/json_copier.h"

namespace rf::toolcall {

enum class JsonCallShape {
  kNameAndArguments,  ///< {"name": "f", "arguments": {…}, "id": "…"} in any order; see RoleOf for other keys
  kNameAsKey,         ///< {"f": {…}}
  kCallsOnly,         ///< as the first, and an object with any key that no call has is none; needs arguments
};

/// One call or a list of at least one. Arguments may be an object, its JSON text in a string, null or (where the shape
/// allows it) absent. Each call is completed as soon as its object ends.
class JsonCallReader {
 public:
  explicit JsonCallReader(JsonCallShape shape) : shape_(shape) {}
  Step Run(Input& in, CallSink& sink);

 private:
  enum class State { kBegin, kFirst, kElement, kKeyOrEnd, kKey, kColon, kValue, kAfterValue, kAfterCall };
  enum class Role { kName, kArguments, kId, kNested, kOther };

  Step Next(Input& in, CallSink& sink);
  Step OpenObject(Input& in);
  Step ReadKey(Input& in, Draft& draft);
  Step ReadValue(Input& in, Draft& draft);
  Step BeginValue(Input& in);
  Step EndValue(Draft& draft);
  Step TakeArguments(Draft& draft);
  Step AfterValue(Input& in, CallSink& sink);
  Step CloseObject(Input& in, CallSink& sink);
  Step AfterCall(Input& in);
  Role RoleOf(const std::string& key) const;

  JsonCallShape shape_;
  State state_ = State::kBegin;
  bool is_list_ = false;
  bool is_nested_ = false;         // inside {"function": {…}}
  bool has_name_ = false;          // the current call's
  bool has_arguments_ = false;     // the current call's
  bool copies_arguments_ = false;  // straight into the draft
  Role role_ = Role::kOther;
  JsonCopier copier_;
  std::string scratch_;
};

}  // namespace rf::toolcall
