#include "server/openai/answer.h"

#include <iterator>
#include <utility>

#include "server/openai/json_body.h"

namespace rf::server {
namespace {

namespace asio = boost::asio;
using Json = nlohmann::ordered_json;

// What all chunks or the whole answer of one request have in common, and how far it is.
struct Reply {
  Reply(const Api& api, PreparedRequest& prepared, std::shared_ptr<Generation> running)
      : params(prepared.params),
        n_choices(prepared.job.prompts.size() * static_cast<size_t>(params.n)),
        format(std::move(prepared.format)),
        generation(std::move(running)),
        id(NewId(format->id_prefix())),
        created(UnixTime()),
        model(api.options().model_id),
        fingerprint(api.fingerprint()) {}

  Json Envelope(const char* object, Json choices) const {
    return {{"id", id},
            {"object", object},
            {"created", created},
            {"model", model},
            {"system_fingerprint", fingerprint},
            {"choices", std::move(choices)}};
  }

  void Count(size_t index, const ChoiceUpdate& update) {
    if (update.is_finished) usage.Add(update.result, index % static_cast<size_t>(params.n) == 0);
  }

  GenerationParams params;
  size_t n_choices;
  std::shared_ptr<AnswerFormat> format;
  std::shared_ptr<Generation> generation;
  std::string id;
  int64_t created;
  std::string model;
  std::string fingerprint;
  Usage usage;
};

void Append(ChoiceUpdate& to, ChoiceUpdate&& from) {
  to.piece.text += from.piece.text;
  std::move(from.piece.tokens.begin(), from.piece.tokens.end(), std::back_inserter(to.piece.tokens));
  std::move(from.prompt_tokens.begin(), from.prompt_tokens.end(), std::back_inserter(to.prompt_tokens));
  to.is_finished = from.is_finished;
  to.is_stopped_by_text = from.is_stopped_by_text;
  to.result = std::move(from.result);
}

// The engine speaks of the prompt; the client wrote it in a field of another name, perhaps.
Error ForClient(Error error, const char* prompt_field) {
  if (error.where == "prompt") error.where = prompt_field;
  return error;
}

HttpResponse ApiError(const Error& error) {
  if (error.code != ErrorCode::kNotFound) return ErrorResponse(error);
  return JsonResponse(ErrorJson(error, "model_not_found"), HttpStatus(error));
}

asio::awaitable<HandlerResult> AnswerWhole(std::shared_ptr<Reply> reply) {
  std::vector<ChoiceUpdate> choices(reply->n_choices);
  while (!reply->generation->is_done()) {
    auto updates = co_await reply->generation->Next();
    if (!updates) co_return ApiError(ForClient(updates.error(), reply->format->prompt_field()));
    for (auto& [index, update] : *updates) Append(choices[index], std::move(update));
  }
  Json list = Json::array();
  for (size_t i = 0; i < choices.size(); ++i) {
    reply->Count(i, choices[i]);
    list.push_back(reply->format->Choice(i, choices[i]));
  }
  Json whole = reply->Envelope(reply->format->object(), std::move(list));
  whole["usage"] = reply->usage.ToJson();
  co_return JsonResponse(whole);
}

// The chunks of one stream, as events.
class ChunkWriter {
 public:
  explicit ChunkWriter(Reply& reply) : reply_(reply) {}

  std::string First() {
    std::string events;
    for (size_t i = 0; i < reply_.n_choices; ++i) {
      Json delta = reply_.format->FirstDelta(i);
      if (!delta.is_null()) events += Chunk(std::move(delta));
    }
    return events;
  }

  std::string Next(const Generation::Updates& updates) {
    std::string events;
    for (const auto& [index, update] : updates) {
      for (Json& choice : reply_.format->Deltas(index, update)) events += Chunk(std::move(choice));
      if (update.is_finished) events += Chunk(reply_.format->LastDelta(index, update));
      reply_.Count(index, update);
    }
    return events;
  }

  std::string Last() {
    std::string events;
    if (reply_.params.include_usage) {
      Json chunk = reply_.Envelope(reply_.format->chunk_object(), Json::array());
      chunk["usage"] = reply_.usage.ToJson();
      events = SseEvent(DumpJson(chunk));
    }
    return events + SseEvent("[DONE]");
  }

 private:
  std::string Chunk(Json choice) {
    Json chunk = reply_.Envelope(reply_.format->chunk_object(), Json::array({std::move(choice)}));
    if (reply_.params.include_usage) chunk["usage"] = nullptr;
    return SseEvent(DumpJson(chunk));
  }

  Reply& reply_;
};

asio::awaitable<bool> SendChunks(std::shared_ptr<Reply> reply, EventStream& events) {
  ChunkWriter chunks(*reply);
  // Sent with the first update: until then a supervisor may have the request answered by another process.
  std::string first = chunks.First();
  while (!reply->generation->is_done()) {
    auto updates = co_await reply->generation->Next();
    if (!updates) {
      co_await events.Send(SseEvent(DumpJson(ErrorJson(ForClient(updates.error(), reply->format->prompt_field())))));
      co_return false;
    }
    const std::string next = std::exchange(first, {}) + chunks.Next(*updates);
    if (!next.empty() && !co_await events.Send(next)) co_return false;
  }
  co_return co_await events.Send(chunks.Last());
}

// Not written out in the coroutine: GCC 12 destroys what a temporary lambda there has captured twice.
StreamBody StreamOf(const std::shared_ptr<Reply>& reply) {
  return [reply](EventStream& events) { return SendChunks(reply, events); };
}

}  // namespace

asio::awaitable<HandlerResult> Answer(Api& api, const HttpRequest& request, Prepare prepare) {
  const auto body = std::make_shared<const std::string>(request.body);
  const auto read = [&api, body, prepare]() -> Result<PreparedRequest> {
    RF_ASSIGN_OR_RETURN(const Json json, ParseJsonBody(*body));
    return prepare(json, api);
  };
  auto prepared = co_await api.OnWorker(read);
  if (!prepared) co_return ApiError(prepared.error());
  if (!prepared->params.has_seed && api.options().seed) prepared->params.sampling.seed = *api.options().seed;
  prepared->job.tag = request.tag;
  const auto executor = co_await asio::this_coro::executor;
  auto generation = api.Generate(executor, prepared->params, prepared->job);
  if (!generation) co_return ApiError(ForClient(generation.error(), prepared->format->prompt_field()));
  const auto reply = std::make_shared<Reply>(api, *prepared, std::move(*generation));
  if (!reply->params.stream) co_return co_await AnswerWhole(reply);
  co_return StreamOf(reply);
}

}  // namespace rf::server
