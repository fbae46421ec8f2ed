// Turns a generation into an HTTP answer: whole, or as a stream of chunks. What differs between endpoints is in a
// AnswerFormat.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <nlohmann/json.hpp>

#include "server/http/router.h"
#include "server/openai/api.h"

namespace rf::server {

/// The shape of one endpoint's choices. One object for each request.
class AnswerFormat {
 public:
  using Json = nlohmann::ordered_json;
  virtual ~AnswerFormat() = default;

  virtual const char* id_prefix() const = 0;
  virtual const char* object() const = 0;
  virtual const char* chunk_object() const = 0;
  /// The request's field that holds the prompt, for errors about it.
  virtual const char* prompt_field() const = 0;

  /// A whole choice. `update` is the sum of its updates.
  virtual Json Choice(size_t index, const ChoiceUpdate& update) = 0;
  /// What a stream says about a choice before anything is generated; null for nothing.
  virtual Json FirstDelta(size_t index) = 0;
  /// The parts of a choice that an update makes, each for a chunk of its own. Called for every update.
  virtual std::vector<Json> Deltas(size_t index, const ChoiceUpdate& update) = 0;
  /// The end of a choice, after the Deltas of its last update.
  virtual Json LastDelta(size_t index, const ChoiceUpdate& update) = 0;
};

/// A request that was read and checked.
struct PreparedRequest {
  GenerationParams params;
  GenerationJob job;
  std::shared_ptr<AnswerFormat> format;
};

/// Reads the body with `prepare` on a worker, generates, answers. `prepare` gets the parsed JSON object and the Api.
using Prepare = Result<PreparedRequest> (*)(const nlohmann::ordered_json& body, const Api& api);
boost::asio::awaitable<HandlerResult> Answer(Api& api, const HttpRequest& request, Prepare prepare);

}  // namespace rf::server
