// Reads the headers of formats that write messages with a recipient: Harmony's and functionary's.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "text/toolcall/input.h"

namespace rf::toolcall {

inline constexpr std::array<std::string_view, 4> kHarmonyMarkers = {"<|start|>", "<|channel|>", "<|constrain|>",
                                                                    "<|message|>"};

/// Harmony (gpt-oss): [<|start|>role] [to=RECIPIENT] <|channel|>CHANNEL [to=RECIPIENT] [<|constrain|>TYPE] <|message|>,
/// where the first thing is a marker or the recipient.
class HarmonyHeader {
 public:
  Step Run(Input& in);
  const std::string& channel() const { return channel_; }
  const std::string& recipient() const { return recipient_; }  ///< empty: the user

 private:
  Step TakeMarker(Input& in);
  Step TakeWord(Input& in);

  std::string channel_;
  std::string recipient_;
  std::string_view marker_;  // the last one
  size_t n_bytes_ = 0;
};

}  // namespace rf::toolcall
