#include "text/toolcall/tag_arguments.h"

#include <algorithm>

#include "text/toolcall/json_copier.h"

namespace rf::toolcall {
namespace {

constexpr size_t kMaxTagKeyBytes = 256;
constexpr size_t kMaxGapBytes = 64;  // white space between a value's end and the next tag
constexpr std::string_view kCdataOpen = "<![CDATA[";
constexpr std::string_view kCdataClose = "]]>";

}  // namespace

Step TagArgumentsReader::Run(Input& in, Draft& draft, const ToolSchemas& schemas) {
  if (!is_begun_) draft.arguments.assign(1, '{');
  is_begun_ = true;
  for (;;) {
    if (state_ == State::kOpen) {
      const Step step = TakeToken(in, syntax_.open);
      if (step == Step::kMore) return step;
      if (step == Step::kFail) {
        draft.arguments += '}';
        return Step::kDone;
      }
      state_ = State::kKey;
    }
    const Step step = Next(in, draft, schemas);
    if (step != Step::kDone) return step;
  }
}

Step TagArgumentsReader::Next(Input& in, Draft& draft, const ToolSchemas& schemas) {
  switch (state_) {
    case State::kKey: return ReadKey(in, draft);
    case State::kAttribute: return ReadAttribute(in);
    case State::kValueOpen: {
      const Step step = TakeToken(in, syntax_.value_open);
      if (step == Step::kDone) state_ = State::kValueBegin;
      return step;
    }
    case State::kValueBegin: return BeginValue(in, draft, schemas);
    case State::kCdata: return OpenCdata(in);
    case State::kValue: return ReadValue(in, draft);
    case State::kOpen: break;
  }
  return Step::kDone;
}

Step TagArgumentsReader::ReadKey(Input& in, Draft& draft) {
  const std::string_view window = in.Rest().substr(0, kMaxTagKeyBytes);
  const size_t end = window.find(syntax_.key_close);
  if (end == std::string_view::npos) return window.size() == kMaxTagKeyBytes ? Step::kFail : Step::kMore;
  if (end == 0) return Step::kFail;
  key_ = window.substr(0, end);
  in.pos += end + syntax_.key_close.size();
  draft.looks_sure = true;
  attribute_.clear();
  state_ = syntax_.has_string_attribute ? State::kAttribute
           : syntax_.value_open.empty() ? State::kValueBegin
                                        : State::kValueOpen;
  return Step::kDone;
}

Step TagArgumentsReader::ReadAttribute(Input& in) {
  const std::string_view window = in.Rest().substr(0, kMaxTagKeyBytes);
  const size_t end = window.find('>');
  if (end == std::string_view::npos) return window.size() == kMaxTagKeyBytes ? Step::kFail : Step::kMore;
  attribute_ = window.substr(0, end);
  in.pos += end + 1;
  state_ = State::kValueBegin;
  return Step::kDone;
}

Step TagArgumentsReader::BeginValue(Input& in, Draft& draft, const ToolSchemas& schemas) {
  if (in.AtEnd()) return Step::kMore;
  if (syntax_.drops_newlines && in.Peek() == '\n') ++in.pos;
  type_ = schemas.TypeOf(draft.name, key_);
  if (attribute_.find("\"true\"") != std::string::npos) type_.kinds = ParameterType::kString;
  if (attribute_.find("\"false\"") != std::string::npos) type_.kinds = 0;
  is_string_ = type_.is_string_only();
  if (draft.arguments.size() > 1) draft.arguments += ',';
  draft.arguments += JsonString(key_) + ':';
  if (is_string_) draft.arguments += '"';
  value_.clear();
  is_in_cdata_ = false;
  state_ = syntax_.has_cdata ? State::kCdata : State::kValue;
  return Step::kDone;
}

Step TagArgumentsReader::OpenCdata(Input& in) {
  const Step step = TakeLiteral(in, kCdataOpen);
  if (step == Step::kMore) return step;
  is_in_cdata_ = step == Step::kDone;
  state_ = State::kValue;
  return Step::kDone;
}

Step TagArgumentsReader::ReadValue(Input& in, Draft& draft) {
  const std::string_view close = is_in_cdata_ ? kCdataClose : syntax_.value_close;
  const size_t end = in.text.find(close, in.pos);
  if (end == std::string::npos) {
    size_t certain = in.text.size() - PartialMatch(in.Rest(), close);
    if (syntax_.drops_newlines && certain > in.pos && in.text[certain - 1] == '\n') --certain;
    Take(in, certain, draft);
    return Step::kMore;
  }
  const bool drops_newline = syntax_.drops_newlines && end > in.pos && in.text[end - 1] == '\n';
  if (is_in_cdata_) {
    Take(in, end, draft);
    in.pos = end + close.size();
    is_in_cdata_ = false;
    return Step::kDone;
  }
  const Step followed = IsFollowed(in, end + close.size());
  if (followed == Step::kFail) {
    Take(in, end + 1, draft);
    return Step::kDone;
  }
  Take(in, end - (drops_newline ? 1 : 0), draft);
  if (followed == Step::kMore) return followed;
  in.pos = end + close.size();
  EndValue(draft);
  return Step::kDone;
}

// Whether another argument or the end of the call stands at `pos`.
Step TagArgumentsReader::IsFollowed(const Input& in, size_t pos) const {
  const size_t gap_end = std::min(in.text.size(), pos + kMaxGapBytes);
  while (pos < gap_end && IsSpace(in.text[pos])) ++pos;
  const std::string_view rest = std::string_view(in.text).substr(pos);
  bool may_follow = false;
  for (const std::string_view next : {syntax_.open, syntax_.end}) {
    if (rest.starts_with(next)) return Step::kDone;
    may_follow = may_follow || next.starts_with(rest);
  }
  if (in.is_ended) return rest.empty() ? Step::kDone : Step::kFail;
  return may_follow ? Step::kMore : Step::kFail;
}

void TagArgumentsReader::Take(Input& in, size_t end, Draft& draft) {
  const std::string_view part = std::string_view(in.text).substr(in.pos, end - in.pos);
  if (is_string_) {
    AppendEscaped(draft.arguments, part);
  } else {
    value_ += part;
  }
  in.pos = end;
}

void TagArgumentsReader::EndValue(Draft& draft) {
  draft.arguments += is_string_ ? "\"" : TypedValue(value_, type_);
  state_ = State::kOpen;
}

}  // namespace rf::toolcall
