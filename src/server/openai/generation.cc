#include "server/openai/generation.h"

#include <iterator>
#include <utility>

#include "engine/grammar_constraint.h"
#include "engine/sampler/dry_breakers.h"
#include "engine/sampler/sampler.h"

namespace rf::server {
namespace {

// About what a token with its log-probabilities occupies in an answer.
constexpr size_t kLogprobBytes = 64;

size_t SizeBytes(const GeneratedToken& token) {
  return kLogprobBytes * (1 + token.top.size());
}

size_t SizeBytes(const TextPiece& piece) {
  size_t n_bytes = piece.text.size();
  for (const TextToken& token : piece.tokens) n_bytes += SizeBytes(token.token);
  return n_bytes;
}

void Append(TextPiece& to, TextPiece&& from) {
  to.text += from.text;
  std::move(from.tokens.begin(), from.tokens.end(), std::back_inserter(to.tokens));
}

// The log-probability that the model gave to the token that does follow a position of the prompt.
GeneratedToken PromptToken(int32_t id, std::span<const float> logits, int32_t n_top) {
  GeneratedToken token;
  token.id = id;
  token.logprob = static_cast<float>(logits[static_cast<size_t>(id)] - LogSumExp(logits));
  token.top = TopLogprobs(logits, n_top);
  return token;
}

}  // namespace

// The engine's side of a choice: its callbacks share it, and run on the engine's thread.
struct Generation::Choice {
  // `change` adds n_bytes to what waits for the event loop.
  template <typename Change>
  void Add(size_t n_bytes, Change change) {
    inbox->Update([&](Inbox& box) {
      change(box.updates[index]);
      box.n_bytes += n_bytes;
      box.is_overfull = box.is_overfull || (max_waiting_bytes > 0 && box.n_bytes > max_waiting_bytes);
      is_given_up = is_given_up || box.is_overfull;
    });
  }

  void Push(TextPiece&& piece) {
    if (piece.text.empty() && piece.tokens.empty()) return;
    Add(SizeBytes(piece), [&](ChoiceUpdate& update) { Append(update.piece, std::move(piece)); });
  }

  bool OnToken(const GeneratedToken& token) {
    TextPiece piece;
    const bool goes_on = text.Add(token, piece);
    Push(std::move(piece));
    return goes_on && !is_given_up;
  }

  void OnFinish(const RequestResult& result) {
    TextPiece piece;
    text.Finish(piece);
    inbox->Update([&](Inbox& box) {
      ChoiceUpdate& update = box.updates[index];
      Append(update.piece, std::move(piece));
      update.is_finished = true;
      update.is_stopped_by_text = text.stopped();
      update.result = result;
    });
  }

  void OnPromptLogits(int32_t position, std::span<const float> logits) {
    const auto next = static_cast<size_t>(position) + 1;
    if (next >= prompt.size() || is_given_up) return;
    GeneratedToken token = PromptToken(prompt[next], logits, n_top_logprobs);
    Add(SizeBytes(token), [&](ChoiceUpdate& update) { update.prompt_tokens.push_back(std::move(token)); });
  }

  size_t index;
  std::shared_ptr<Mailbox<Inbox>> inbox;
  ChoiceText text;
  size_t max_waiting_bytes = 0;
  std::vector<TokenId> prompt;  ///< only for its log-probabilities
  int32_t n_top_logprobs = 0;
  bool is_given_up = false;
};

Request Generation::MakeRequest(const Tokenizer& tokenizer, const GenerationParams& params, size_t index) const {
  const auto n = static_cast<size_t>(params.n);
  Request request;
  request.prompt = job_.prompts[index / n];
  request.tag = job_.tag;
  request.max_tokens = params.max_tokens;
  request.sampling = params.sampling;
  request.sampling.seed += index % n;
  ResolveDryBreakers(tokenizer, request.sampling);
  if (!params.ignore_eos) request.stop_ids = tokenizer.end_of_generation_ids();
  request.n_top_logprobs = params.n_top_logprobs;
  if (job_.grammar) {
    request.constraint = std::make_shared<GrammarConstraint>(job_.grammar, tokenizer, request.stop_ids);
  }
  const bool is_start_of_text = job_.is_chat && !job_.grammar;  // a grammar's text is left as it is
  auto choice = std::make_shared<Choice>(
      Choice{index, inbox_, ChoiceText(tokenizer, is_start_of_text, params.stops, params.n_top_logprobs >= 0)});
  choice->text.ShowControls(job_.shown_controls);
  choice->max_waiting_bytes = job_.max_waiting_bytes;
  request.on_token = [choice](const GeneratedToken& token) { return choice->OnToken(token); };
  request.on_finish = [choice](const RequestResult& result) { choice->OnFinish(result); };
  if (job_.wants_prompt_logprobs) {
    choice->prompt = request.prompt;
    choice->n_top_logprobs = params.n_top_logprobs;
    request.on_logits = [choice](int32_t position, std::span<const float> logits) {
      choice->OnPromptLogits(position, logits);
    };
  }
  return request;
}

Result<std::unique_ptr<Generation>> Generation::Start(EngineThread& engine, const Tokenizer& tokenizer,
                                                      const boost::asio::any_io_executor& executor,
                                                      const GenerationParams& params, GenerationJob job) {
  std::unique_ptr<Generation> generation(new Generation(engine, executor, std::move(job)));
  const size_t n_choices = generation->job_.prompts.size() * static_cast<size_t>(params.n);
  std::vector<Request> requests;
  requests.reserve(n_choices);
  for (size_t i = 0; i < n_choices; ++i) requests.push_back(generation->MakeRequest(tokenizer, params, i));
  generation->is_finished_.assign(n_choices, false);
  RF_ASSIGN_OR_RETURN(generation->ids_, engine.SubmitAll(std::move(requests)));
  return generation;
}

Generation::~Generation() {
  Cancel();
}

void Generation::Cancel() {
  for (size_t i = 0; i < ids_.size(); ++i) {
    if (!is_finished_[i]) engine_.Cancel(ids_[i]);
  }
}

boost::asio::awaitable<Result<Generation::Updates>> Generation::Next() {
  co_return Check(co_await inbox_->Take(job_.deadline));
}

Result<Generation::Updates> Generation::Check(std::optional<Inbox> inbox) {
  if (!inbox) return Error{ErrorCode::kTimeout, "the request took longer than the server allows", ""};
  for (const auto& [index, update] : inbox->updates) {
    if (!update.is_finished) continue;
    is_finished_[index] = true;
    ++n_finished_;
    if (update.result.error) return *update.result.error;
    if (update.result.reason == FinishReason::kCancelled) {
      return Error{ErrorCode::kCancelled, "the request was cancelled: the server is shutting down", ""};
    }
  }
  if (inbox->is_overfull) {
    return Error{ErrorCode::kBusy, "the client takes the stream too slowly; the request was given up", ""};
  }
  return std::move(inbox->updates);
}

}  // namespace rf::server
