#include "text/toolcall/message_header.h"

namespace rf::toolcall {
namespace {

constexpr size_t kMaxWordBytes = 256;
constexpr size_t kMaxHeaderBytes = 1024;
constexpr std::string_view kMessage = "<|message|>";
constexpr std::string_view kChannel = "<|channel|>";
constexpr std::string_view kRecipient = "to=";

}  // namespace

Step HarmonyHeader::Run(Input& in) {
  while (marker_ != kMessage) {
    const size_t before = in.pos;
    SkipSpace(in);
    n_bytes_ += in.pos - before;
    if (in.AtEnd()) return Step::kMore;
    const size_t begin = in.pos;
    const Step step = in.Peek() == '<' ? TakeMarker(in) : TakeWord(in);
    n_bytes_ += in.pos - begin;
    if (step != Step::kDone) return step;
    if (n_bytes_ > kMaxHeaderBytes) return Step::kFail;
  }
  return Step::kDone;
}

Step HarmonyHeader::TakeMarker(Input& in) {
  bool may_follow = false;
  for (const std::string_view marker : kHarmonyMarkers) {
    const Step step = TakeLiteral(in, marker);
    if (step == Step::kDone) marker_ = marker;
    if (step == Step::kDone) return step;
    may_follow = may_follow || step == Step::kMore;
  }
  return may_follow ? Step::kMore : Step::kFail;
}

Step HarmonyHeader::TakeWord(Input& in) {
  if (marker_.empty()) {
    const std::string_view rest = in.Rest().substr(0, kRecipient.size());
    if (!kRecipient.starts_with(rest)) return Step::kFail;
  }
  std::string word;
  const Step step = TakeRun(in, kMaxWordBytes, word, [](char c) { return c != '<' && !IsSpace(c); });
  if (step != Step::kDone) return step;
  if (word.starts_with(kRecipient)) {
    recipient_ = word.substr(kRecipient.size());
  } else if (marker_ == kChannel && channel_.empty()) {
    channel_ = word;
  }
  return Step::kDone;
}

}  // namespace rf::toolcall
