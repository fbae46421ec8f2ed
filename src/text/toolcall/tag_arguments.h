// Reads arguments that stand between tags: <parameter=city>Paris</parameter> and the like.
#pragma once

#include <string>
#include <string_view>

#include "text/toolcall/input.h"
#include "text/toolcall/schemas.h"

namespace rf::toolcall {

/// open KEY key_close [value_open] VALUE value_close, any number of times, then `end`.
struct TagSyntax {
  std::string_view open;
  std::string_view key_close;
  std::string_view value_open;  ///< may be empty
  std::string_view value_close;
  std::string_view end;               ///< what follows the last argument; not taken
  bool drops_newlines = false;        ///< one line break on either side of the value belongs to the syntax
  bool has_cdata = false;             ///< a value may be <![CDATA[…]]>
  bool has_string_attribute = false;  ///< key_close is followed by ` string="true">` or ` string="false">`
};

class TagArgumentsReader {
 public:
  explicit TagArgumentsReader(const TagSyntax& syntax) : syntax_(syntax) {}
  /// Builds the object in draft.arguments; kDone in front of what is no further argument. A value ends at a value_close
  /// that `open` or `end` follows, so that its text may hold the same tag. Values that can only be strings are copied
  /// as they come, others when they end.
  Step Run(Input& in, Draft& draft, const ToolSchemas& schemas);

 private:
  enum class State { kOpen, kKey, kAttribute, kValueOpen, kValueBegin, kCdata, kValue };

  Step Next(Input& in, Draft& draft, const ToolSchemas& schemas);
  Step ReadKey(Input& in, Draft& draft);
  Step ReadAttribute(Input& in);
  Step BeginValue(Input& in, Draft& draft, const ToolSchemas& schemas);
  Step OpenCdata(Input& in);
  Step ReadValue(Input& in, Draft& draft);
  Step IsFollowed(const Input& in, size_t pos) const;
  void Take(Input& in, size_t end, Draft& draft);
  void EndValue(Draft& draft);

  const TagSyntax& syntax_;
  State state_ = State::kOpen;
  bool is_begun_ = false;
  bool is_in_cdata_ = false;
  bool is_string_ = false;  // copied as it comes
  ParameterType type_;
  std::string key_;
  std::string attribute_;
  std::string value_;  // of what is not copied as it comes
};

}  // namespace rf::toolcall
