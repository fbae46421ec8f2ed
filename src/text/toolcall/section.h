// Runs the program behind an opener.
#pragma once

#include <variant>

#include "text/toolcall/code_argument.h"
#include "text/toolcall/format.h"
#include "text/toolcall/json_call.h"
#include "text/toolcall/message_header.h"
#include "text/toolcall/python_call.h"
#include "text/toolcall/wrapped_json.h"

namespace rf::toolcall {

inline constexpr std::string_view kGemmaQuote = "<|\"|>";

class Section {
 public:
  /// What kind of text follows, when a header says so.
  enum class Follows { kSame, kContent, kReasoning };

  Section(Program program, const ToolSchemas& schemas) : program_(program), schemas_(schemas) {}

  /// kDone: the section is over, `in.pos` behind it. Completes calls in `sink` on the way.
  Step Run(Input& in, CallSink& sink);
  /// After kFail or at the text's end: only closing tokens behind a whole call are missing.
  bool is_forgivable() const { return is_closing_; }
  Follows follows() const { return follows_; }

  /// Whether the draft may be shown before it is whole: the name is the last part in doubt.
  bool may_show_early(const Draft& draft) const { return !needs_known_name_ || schemas_.Has(draft.name); }

 private:
  using Reader = std::variant<std::monostate, JsonCopier, JsonCallReader, WrappedJsonReader, PythonCallReader,
                              TagArgumentsReader, CodeReader, HarmonyHeader>;

  Step RunOp(const Op& op, Input& in, CallSink& sink);
  Step RunCalls(const Op& op, Input& in, CallSink& sink);
  Step RunName(const Op& op, Input& in, Draft& draft);
  Step RunArguments(const Op& op, Input& in, Draft& draft);
  Step RunObject(JsonDialect dialect, Input& in, Draft& draft);
  Step RunArgumentsOrCode(const Op& op, Input& in, Draft& draft);
  Step RunPythonTag(Input& in, CallSink& sink);
  Step ChoosePythonTag(Input& in, Draft& draft);
  Step RunHarmony(Input& in, Draft& draft);
  Step RunRecipientLine(Input& in, Draft& draft);
  Step RunNameInId(Input& in, Draft& draft);
  Step Repeat(const Op& op, Input& in);
  template <typename T, typename... Args>
  T& Get(Args&&... args);

  Program program_;
  const ToolSchemas& schemas_;
  size_t op_ = 0;
  Reader reader_;
  bool is_code_ = false;
  bool needs_known_name_ = false;
  bool is_closing_ = false;
  Follows follows_ = Follows::kSame;
};

}  // namespace rf::toolcall
