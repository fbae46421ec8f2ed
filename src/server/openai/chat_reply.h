// One choice of a chat: the model's text as the parts of a message.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "text/toolcall/detect.h"
#include "text/toolcall/reply_parser.h"

namespace rf::server {

class ChatReply {
 public:
  using Json = nlohmann::ordered_json;

  /// How a request's replies are read.
  struct Options {
    ReplyStyle style;
    Json tools = nullptr;     ///< schemas; null for none
    std::string prompt_end;   ///< the prompt's last few tokens, as text
    bool is_parallel = true;  ///< false: only the first call counts
  };

  explicit ChatReply(const Options& options);

  /// The `delta` objects that more text gives: content, reasoning_content, tool_calls. A call comes when it is whole:
  /// first its index, id and name, then its arguments.
  std::vector<Json> Add(std::string_view text);
  /// Those that are left at the end. `is_truncated`: not the model's own end; what is unfinished is left out.
  std::vector<Json> Finish(bool is_truncated);

  /// The whole `message`, after Finish.
  Json Message() const;
  bool has_calls() const { return has_calls_; }

 private:
  std::vector<Json> Take(std::vector<ReplyDelta> deltas);
  Json ToJson(const ReplyDelta& delta);

  ReplyParser parser_;
  ReplyBuilder builder_;
  bool is_parallel_;
  bool has_calls_ = false;
  std::vector<std::string> ids_;  // of the calls
};

}  // namespace rf::server
