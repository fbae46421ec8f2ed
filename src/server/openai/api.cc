#include "server/openai/api.h"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "base/utf8.h"
#include "text/toolcall/markers.h"

namespace rf::server {
namespace {

// FNV-1a, 64 bits: answers with the same fingerprint come from the same model file, devices and instruction sets.
std::string Fingerprint(const ModelSession& session) {
  uint64_t hash = 0xcbf29ce484222325u;
  std::vector<std::string> words = {session.name, session.architecture};
  for (const PartInfo& part : session.parts) words.insert(words.end(), {part.device.name, part.device.isa});
  for (const std::string& word : words) {
    for (const char c : word + "\n") hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  return fmt::format("fp_{:016x}", hash);
}

ReplyStyle StyleOf(const ModelSession& session) {
  const bool has_template = session.chat_template && *session.chat_template;
  return has_template ? DetectReplyStyle(**session.chat_template) : DefaultReplyStyle();
}

std::vector<TokenId> ReplyMarkers(const Tokenizer& tokenizer, const ReplyStyle& style) {
  const std::vector<std::string_view> markers = MarkersOf(style);
  std::vector<TokenId> ids;
  for (TokenId id = 0; id < tokenizer.size(); ++id) {
    if (!tokenizer.IsControl(id) || tokenizer.IsEndOfGeneration(id)) continue;
    if (IsMarker(markers, tokenizer.Piece(id, /*unparse_special=*/true))) ids.push_back(id);
  }
  return ids;
}

}  // namespace

Api::Api(std::unique_ptr<ModelSession> session, ApiOptions options)
    : session_(std::move(session)),
      options_(std::move(options)),
      engine_(std::make_unique<EngineThread>(std::move(session_->engine))),
      created_(UnixTime()),
      fingerprint_(Fingerprint(*session_)),
      reply_style_(StyleOf(*session_)),
      reply_markers_(std::make_shared<std::vector<TokenId>>(ReplyMarkers(*session_->tokenizer, reply_style_))) {}

Api::~Api() {
  workers_.join();
}

Router Api::MakeRouter() {
  Router router;
#define RF_ENDPOINT(Name) Add##Name##Endpoint(router, *this);
#include "server/openai/endpoints.def"
#undef RF_ENDPOINT
  return router;
}

void Api::CancelAll() {
  for (Generation* generation : generations_) generation->Cancel();
}

Status Api::CheckModel(const std::string& name) const {
  const auto& aliases = options_.aliases;
  if (name.empty() || name == options_.model_id) return {};
  if (std::find(aliases.begin(), aliases.end(), name) != aliases.end()) return {};
  return Error{ErrorCode::kNotFound,
               fmt::format("the model '{}' does not exist; this server has '{}'", EscapeForMessage(name, 60),
                           EscapeForMessage(options_.model_id, 100)),
               "model"};
}

Result<std::shared_ptr<Generation>> Api::Generate(const boost::asio::any_io_executor& executor,
                                                  const GenerationParams& params, GenerationJob job) {
  job.deadline = std::chrono::steady_clock::now() + options_.request_timeout;
  if (params.stream) job.max_waiting_bytes = options_.stream_buffer_bytes;
  RF_ASSIGN_OR_RETURN(auto generation,
                      Generation::Start(*engine_, *session_->tokenizer, executor, params, std::move(job)));
  generations_.insert(generation.get());
  return std::shared_ptr<Generation>(generation.release(), [this](Generation* gone) {
    generations_.erase(gone);
    delete gone;
  });
}

std::string NewId(const char* prefix) {
  thread_local std::mt19937_64 random{std::random_device{}()};
  return fmt::format("{}{:016x}{:08x}", prefix, random(), random() >> 32);
}

int64_t UnixTime() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void Usage::Add(const RequestResult& result, bool is_first_of_prompt) {
  n_generated_ += result.n_generated;
  if (!is_first_of_prompt) return;
  n_prompt_ += result.n_prompt;
  n_cached_ += result.n_cached;
}

nlohmann::ordered_json Usage::ToJson() const {
  return {{"prompt_tokens", n_prompt_},
          {"completion_tokens", n_generated_},
          {"total_tokens", n_prompt_ + n_generated_},
          {"prompt_tokens_details", {{"cached_tokens", n_cached_}}}};
}

const char* FinishReasonName(const ChoiceUpdate& update) {
  return update.is_stopped_by_text || update.result.reason == FinishReason::kStop ? "stop" : "length";
}

}  // namespace rf::server
