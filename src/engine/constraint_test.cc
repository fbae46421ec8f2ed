// Constraints in the engine, and grammars as constraints.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "engine/grammar_constraint.h"
#include "engine/test_util/answer.h"
#include "engine/test_util/fake_runner.h"
#include "text/tokenizer/test_vocab.h"

namespace rf {
namespace {

using grammar::GrammarKind;
using Tokens = std::vector<int32_t>;

std::shared_ptr<const Tokenizer> MakeTokenizer() {
  static const std::shared_ptr<const Tokenizer> tokenizer = [] {
    VocabData data = test_vocab::ByteLevel("gpt-2", {{"\"", ":"}, {"n", "a"}, {"m", "e"}, {"na", "me"}, {"{", "\""}});
    data.eos = static_cast<TokenId>(data.tokens.size()) - 1;
    return std::shared_ptr<const Tokenizer>(test_vocab::MakeTokenizer(std::move(data)));
  }();
  return tokenizer;
}

struct Outcome : test::Answer {
  std::string text() const { return MakeTokenizer()->Decode(ids, {}); }
};

class ConstraintTest : public testing::Test {
 protected:
  // So few pages that sequences must give way to each other.
  void Start(int32_t n_pages) {
    RunnerLimits limits;
    limits.n_vocab = MakeTokenizer()->size();
    limits.max_tokens = 64;
    limits.max_sequences = limits.max_outputs = 8;
    limits.page_tokens = 4;
    limits.max_pages_per_sequence = 64;
    limits.n_pages = n_pages;
    EngineOptions options;
    options.context_length = 128;
    options.prefill_chunk = 16;
    auto runner = std::make_unique<test::FakeRunner>(limits);
    runner_ = runner.get();
    engine_ = std::make_unique<Engine>(std::move(runner), options);
  }

  Request NewRequest(GrammarKind kind, const std::string& source, Outcome& outcome, bool takes_forced = true) {
    Request request = test::RequestFor({1, 2, 3}, 60, outcome);
    request.stop_ids = MakeTokenizer()->end_of_generation_ids();
    auto compiled = library_.Get({kind, source});
    EXPECT_TRUE(compiled) << compiled.error().ToString();
    request.constraint =
        std::make_shared<GrammarConstraint>(*compiled, *MakeTokenizer(), request.stop_ids, takes_forced);
    return request;
  }

  GrammarLibrary library_{MakeTokenizer()};
  test::FakeRunner* runner_ = nullptr;
  std::unique_ptr<Engine> engine_;
};

TEST_F(ConstraintTest, AnswersMatchAndEndWithTheGrammar) {
  Start(64);
  Outcome outcome;
  ASSERT_TRUE(engine_->Submit(NewRequest(GrammarKind::kRegex, "[ab]{3}-[0-9]{2}", outcome)));
  ASSERT_TRUE(engine_->RunToCompletion());
  const std::string text = outcome.text();
  ASSERT_EQ(text.size(), 6u);
  EXPECT_EQ(text[3], '-');
  EXPECT_EQ(text.find_first_not_of("ab"), 3u);
  EXPECT_EQ(outcome.result->reason, FinishReason::kStop);
  EXPECT_EQ(outcome.result->n_generated, 6);  // no end token: nothing else could come
}

TEST_F(ConstraintTest, ForcedRunsAreNotAskedFor) {
  const std::string source = "root ::= \"{\\\"name\\\":\" [ab] \"}\"";
  Outcome asked, forced;
  Start(64);
  ASSERT_TRUE(engine_->Submit(NewRequest(GrammarKind::kGbnf, source, asked, false)));
  ASSERT_TRUE(engine_->RunToCompletion());
  const size_t n_asked = runner_->step_sizes.size();
  Start(64);
  ASSERT_TRUE(engine_->Submit(NewRequest(GrammarKind::kGbnf, source, forced)));
  ASSERT_TRUE(engine_->RunToCompletion());
  EXPECT_LT(runner_->step_sizes.size(), n_asked);
  for (const Outcome* outcome : {&asked, &forced}) {
    EXPECT_TRUE(outcome->text() == "{\"name\":a}" || outcome->text() == "{\"name\":b}") << outcome->text();
    EXPECT_EQ(outcome->result->n_generated, static_cast<int32_t>(outcome->ids.size()));
  }
}

TEST_F(ConstraintTest, ForcedTokensAreTheTokenizersOwn) {
  auto compiled = library_.Get({GrammarKind::kGbnf, "root ::= \"{\\\"name\\\":\" [ab]"});
  ASSERT_TRUE(compiled);
  GrammarConstraint constraint(*compiled, *MakeTokenizer(), {});
  Tokens canonical = MakeTokenizer()->Encode("{\"name\":", {.add_special = false});
  canonical.pop_back();  // might become another one with what follows
  EXPECT_EQ(constraint.TakeForced(), canonical);
  // Behind a token that the tokenizer would not have written there ("{" where "{\"" could be) the model is asked.
  GrammarConstraint other(*compiled, *MakeTokenizer(), {});
  ASSERT_TRUE(other.Accept('{'));
  EXPECT_EQ(other.TakeForced(), Tokens());
}

TEST_F(ConstraintTest, PreemptionAndBatchesDoNotChangeAnything) {
  const std::vector<std::pair<GrammarKind, std::string>> sources = {
      {GrammarKind::kRegex, "([a-f]{2} ){10,14}end"},
      {GrammarKind::kJsonSchema,
       R"({"type": "array", "items": {"enum": ["name", "na", 17]}, "minItems": 4, "maxItems": 6})"},
      {GrammarKind::kRegex, "[0-9]{30,40}"}};
  std::vector<Outcome> alone(sources.size());
  for (size_t i = 0; i < sources.size(); ++i) {
    Start(64);
    ASSERT_TRUE(engine_->Submit(NewRequest(sources[i].first, sources[i].second, alone[i])));
    ASSERT_TRUE(engine_->RunToCompletion());
    EXPECT_FALSE(alone[i].result->error);
  }
  Start(22);
  std::vector<Outcome> together(2 * sources.size());
  for (size_t i = 0; i < together.size(); ++i) {
    const auto& [kind, source] = sources[i % sources.size()];
    Request request = NewRequest(kind, source, together[i]);
    request.use_prefix_cache = false;
    ASSERT_TRUE(engine_->Submit(std::move(request)));
  }
  ASSERT_TRUE(engine_->RunToCompletion());
  EXPECT_GT(engine_->stats().n_preemptions, 0u);
  for (size_t i = 0; i < together.size(); ++i) EXPECT_EQ(together[i].ids, alone[i % sources.size()].ids) << i;
}

TEST_F(ConstraintTest, AGrammarOfNothingEndsAtOnce) {
  Start(64);
  Outcome outcome;
  ASSERT_TRUE(engine_->Submit(NewRequest(GrammarKind::kGbnf, "root ::= \"\"", outcome)));
  ASSERT_TRUE(engine_->RunToCompletion());
  EXPECT_TRUE(outcome.ids.empty());
  EXPECT_EQ(outcome.result->reason, FinishReason::kStop);
}

// Allows what it is told to.
class FixedMask final : public TokenConstraint {
 public:
  explicit FixedMask(std::vector<uint64_t> mask) : mask_(std::move(mask)) {}
  std::span<const uint64_t> Mask() override { return mask_; }
  bool Accept(int32_t) override { return true; }
  bool IsFinished() const override { return false; }
  std::vector<int32_t> TakeForced() override { return {}; }

 private:
  std::vector<uint64_t> mask_;
};

TEST_F(ConstraintTest, WhereNothingFitsTheRequestEndsWithAnError) {
  Start(64);
  Outcome outcome, other;
  Request request = NewRequest(GrammarKind::kRegex, "a", outcome);
  request.constraint = std::make_shared<FixedMask>(std::vector<uint64_t>{0, 0});
  ASSERT_TRUE(engine_->Submit(std::move(request)));
  ASSERT_TRUE(engine_->Submit(NewRequest(GrammarKind::kRegex, "abc", other)));
  ASSERT_TRUE(engine_->RunToCompletion());
  ASSERT_TRUE(outcome.result->error);
  EXPECT_EQ(outcome.result->reason, FinishReason::kError);
  EXPECT_EQ(other.text(), "abc");
}

TEST(Sampler, TakesAllowedTokensOnly) {
  std::vector<float> logits(130, 1.0f);
  logits[5] = 9.0f;
  std::vector<uint64_t> allowed = {uint64_t{1} << 7, uint64_t{1} << 63};
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const std::optional<int32_t> id = Sampler({.temperature = 1.0f, .seed = seed}, {}).Sample(logits, allowed);
    EXPECT_TRUE(id == 7 || id == 127) << id.value_or(-1);
  }
  EXPECT_EQ(Sampler({}, {}).Sample(logits, allowed), 7);
  // Nothing that is allowed has a finite logit; a token behind the mask is never taken.
  logits.assign(130, -std::numeric_limits<float>::infinity());
  logits[129] = 3.0f;
  EXPECT_EQ(Sampler({}, {}).Sample(logits, allowed), std::nullopt);
}

}  // namespace
}  // namespace rf
