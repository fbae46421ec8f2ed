// Completions over HTTP with a model that writes the alphabet.
#include <cmath>
#include <utility>

#include "server/test_util/api_fixture.h"

namespace rf::server {
namespace {

using test_util::Json;

class CompletionsTest : public test_util::ApiTest {
 protected:
  std::string Text(const Json& prompt, const Json& more = Json::object()) {
    return AskCompletion(prompt, more)["choices"][0]["text"];
  }
  // The text and the log-probabilities of choice 0 of a stream, put together.
  std::pair<std::string, Json> Stream(const Json& prompt, Json more) {
    more["stream"] = true;
    std::string text;
    Json joined = {{"tokens", Json::array()},
                   {"token_logprobs", Json::array()},
                   {"top_logprobs", Json::array()},
                   {"text_offset", Json::array()}};
    for (const std::string& event : Events(PostTo("/v1/completions", Completion(prompt, more).dump()).body)) {
      if (event == "[DONE]") return {text, joined};
      const Json choice = Json::parse(event)["choices"][0];
      text += choice["text"];
      if (choice["logprobs"].is_null()) continue;
      for (auto& [key, list] : joined.items())
        list.insert(list.end(), choice["logprobs"][key].begin(), choice["logprobs"][key].end());
    }
    ADD_FAILURE() << "no [DONE]";
    return {};
  }
};

TEST_F(CompletionsTest, WholeAnswer) {
  Start();
  const Json answer = AskCompletion("a");
  EXPECT_EQ(answer["id"].get<std::string>().substr(0, 5), "cmpl-");
  EXPECT_EQ(answer["object"], "text_completion");
  EXPECT_EQ(answer["choices"][0]["text"], "bcdefghijklmnopq");  // 16 tokens unless said otherwise
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 1);
  EXPECT_EQ(answer["usage"]["completion_tokens"], 16);
}

TEST_F(CompletionsTest, FormsOfPrompts) {
  Start();
  EXPECT_EQ(Text(Json::array({'1'}), {{"max_tokens", 9}}),
            "\xE2\x82\xAC"
            "2");
  const Json answer = AskCompletion(Json::array({"x", "A"}), {{"n", 2}, {"max_tokens", 2}});
  ASSERT_EQ(answer["choices"].size(), 4u);
  const char* texts[] = {"yz", "yz", "BC", "BC"};
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(answer["choices"][i]["text"], texts[i]);
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 2);
  EXPECT_EQ(AskCompletion(Json::array({Json::array({'x'}), Json::array({'A'})}))["choices"].size(), 2u);
  for (const Json& bad :
       {Json(""), Json::array(), Json(5), Json::array({Json::array()}), Json::array({"a", 5}), Json::array({1.5}),
        Json::array({-1}), Json::array({258}), Json::array({2147483648}), Json::array({"a", Json::array({1})})}) {
    const auto response = PostTo("/v1/completions", Completion(bad).dump());
    EXPECT_EQ(response.status, 400) << bad;
    EXPECT_EQ(Json::parse(response.body)["error"]["param"].get<std::string>().substr(0, 6), "prompt") << response.body;
  }
  EXPECT_EQ(Text(Json::array({"a<|end|>"})), "");
  EXPECT_EQ(AskCompletion("<|end|>")["usage"]["prompt_tokens"], 1);
  EXPECT_EQ(AskCompletion("<|end|>", {{"parse_special", false}})["usage"]["prompt_tokens"], 7);
}

TEST_F(CompletionsTest, CharactersAreNeverCut) {
  Start();
  EXPECT_EQ(Text("1"),
            "\xE2\x82\xAC"
            "2");
  EXPECT_EQ(Stream("1", {{"max_tokens", 9}}).first,
            "\xE2\x82\xAC"
            "2");
  EXPECT_EQ(Text("1", {{"stop", "\xE2\x82\xAC"}}), "");
  EXPECT_EQ(Text("1", {{"max_tokens", 2}}), "\xEF\xBF\xBD") << "half a character at the end";
}

TEST_F(CompletionsTest, EchoAndLogProbabilities) {
  Start();
  EXPECT_EQ(Text("ab", {{"echo", true}, {"max_tokens", 2}}), "abcd");
  EXPECT_EQ(Text(Json::array({'a', 'b'}), {{"echo", true}, {"max_tokens", 0}}), "ab");
  const Json fields = {{"echo", true}, {"max_tokens", 2}, {"logprobs", 1}};
  const Json answer = AskCompletion("abX", fields);
  const Json logprobs = answer["choices"][0]["logprobs"];
  EXPECT_EQ(logprobs["tokens"], Json::array({"a", "b", "X", "Y", "Z"}));
  EXPECT_EQ(logprobs["text_offset"], Json::array({0, 1, 2, 3, 4}));
  const double norm = std::log(std::exp(10.0) + std::exp(5.0) + 256.0);
  EXPECT_TRUE(logprobs["token_logprobs"][0].is_null());
  EXPECT_NEAR(logprobs["token_logprobs"][1], 10 - norm, 1e-5);
  EXPECT_NEAR(logprobs["token_logprobs"][2], 0 - norm, 1e-5);
  EXPECT_NEAR(logprobs["token_logprobs"][4], 10 - norm, 1e-5);
  EXPECT_EQ(logprobs["top_logprobs"][2].begin().key(), "c");
  const auto [text, streamed] = Stream("abX", fields);
  EXPECT_EQ(text, "abXYZ");
  EXPECT_EQ(streamed, logprobs);
}

TEST_F(CompletionsTest, PartsOfCharactersHaveNames) {
  Start();
  const Json logprobs = AskCompletion("1", {{"logprobs", 0}})["choices"][0]["logprobs"];
  EXPECT_EQ(logprobs["tokens"], Json::array({"bytes:\\xe2", "bytes:\\x82", "bytes:\\xac", "2"}));
  EXPECT_EQ(logprobs["text_offset"], Json::array({0, 0, 0, 1}));
}

TEST_F(CompletionsTest, LogitBiasAndIgnoredEnds) {
  Start();
  EXPECT_EQ(Text("a", {{"logit_bias", {{"98", -100}}}, {"max_tokens", 2}}), "cd");
  EXPECT_EQ(Text("z", {{"ignore_eos", true}, {"max_tokens", 3}, {"stop", "q"}}).size(), 0u);
  EXPECT_EQ(AskCompletion("z", {{"ignore_eos", true}, {"max_tokens", 3}})["usage"]["completion_tokens"], 3);
}

}  // namespace
}  // namespace rf::server
