// Every field of the requests with every JSON type, and numbers at the edges of their ranges.
#include "server/openai/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include <fmt/format.h>

#include "server/openai/chat_request.h"
#include "server/openai/completion_request.h"
#include "server/openai/json_body.h"

namespace rf::server {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;
using testing::StartsWith;

constexpr int32_t kVocab = 1000;

// Reads a request; its status, and the names that it knows.
using Reader = std::function<Status(const Json&, std::vector<std::string>*)>;

Status ReadChat(const Json& body, std::vector<std::string>* known) {
  Fields fields(body);
  ReadChatRequest(fields, kVocab);
  const Status status = fields.Finish();
  if (known != nullptr) *known = fields.known();
  return status;
}

Status ReadCompletion(const Json& body, std::vector<std::string>* known) {
  Fields fields(body);
  ReadCompletionRequest(fields, kVocab);
  const Status status = fields.Finish();
  if (known != nullptr) *known = fields.known();
  return status;
}

Json GoodChat() {
  return {{"messages", {{{"role", "user"}, {"content", "Hi"}}}}};
}

// The JSON types that a field takes with the values of kValues; all others must be refused with its name.
const std::map<std::string, std::set<std::string>> kAccepted = {
    {"model", {"string"}},
    {"n", {"integer"}},
    {"repetition_penalty", {"integer", "fraction"}},
    {"samplers", {}},  // not "x"
    {"dry_sequence_breakers", {"array"}},
    {"banned_token_ids", {}},  // not ["x"]
    {"allowed_token_ids", {}},
    {"logit_bias", {"object"}},
    {"seed", {"integer"}},
    {"stop", {"string", "array"}},
    {"ignore_eos", {"boolean"}},
    {"stream", {"boolean"}},
    {"stream_options", {}},  // not without "stream"
    {"user", {"string"}},
    {"safety_identifier", {"string"}},
    {"prompt_cache_key", {"string"}},
    {"metadata", {"object"}},
    {"store", {}},         // not true
    {"service_tier", {}},  // not "x"
    {"max_tokens", {"integer"}},
    // chat
    {"messages", {}},  // not ["x"]
    {"max_completion_tokens", {"integer"}},
    {"top_logprobs", {}},  // not without "logprobs"
    {"tools", {}},
    {"tool_choice", {}},
    {"parallel_tool_calls", {"boolean"}},
    {"functions", {}},
    {"function_call", {}},
    {"response_format", {}},  // not {}
    {"modalities", {}},       // not ["x"]
    {"audio", {}},
    {"prediction", {}},
    {"web_search_options", {}},
    {"reasoning_effort", {}},
    {"verbosity", {}},
    {"chat_template_kwargs", {"object"}},
    // completions
    {"prompt", {"string", "array"}},
    {"echo", {"boolean"}},
    {"parse_special", {"boolean"}},
    {"best_of", {"integer"}},
    {"suffix", {}},  // not "x"
};

// Those and the numbers that sampling_params.def lists.
std::map<std::string, std::set<std::string>> AcceptedTypes() {
  auto accepted = kAccepted;
  constexpr int32_t kMaxCount = SamplingParams::kMaxCount;
#define RF_SAMPLING_PARAM(Type, field, neutral, least, most, key, options, help) \
  if (1 >= (least) && 1 <= (most))                                               \
    accepted[key].insert("integer");                                             \
  else                                                                           \
    accepted[key];                                                               \
  if (std::is_floating_point_v<Type> && 0.5 >= (least)) accepted[key].insert("fraction");
#include "engine/sampler/sampling_params.def"
#undef RF_SAMPLING_PARAM
  return accepted;
}

const std::pair<const char*, Json> kValues[] = {
    {"boolean", true},          {"integer", 1}, {"fraction", 0.5}, {"string", "x"}, {"array", Json::array({"x"})},
    {"object", Json::object()},
};

void CheckTypes(const Reader& read, const Json& good, const std::map<std::string, std::set<std::string>>& accepted) {
  std::vector<std::string> known;
  ASSERT_TRUE(read(good, &known)) << read(good, nullptr).error().ToString();
  EXPECT_GT(known.size(), 25u);
  for (const std::string& name : known) {
    ASSERT_TRUE(accepted.contains(name)) << name << " is not in this test's table";
    for (const auto& [type, value] : kValues) {
      Json body = good;
      body[name] = value;
      const Status status = read(body, nullptr);
      EXPECT_EQ(status.has_value(), accepted.at(name).contains(type)) << name << ": " << value;
      EXPECT_THAT(status ? name : status.error().where, StartsWith(name)) << name << ": " << value;
    }
    Json body = good;
    body[name] = nullptr;
    const bool is_required = name == "messages" || name == "prompt";
    EXPECT_EQ(read(body, nullptr).has_value(), !is_required) << name << ": null counts as absent";
  }
}

TEST(FieldsTest, EveryChatFieldWithEveryType) {
  auto accepted = AcceptedTypes();
  accepted["logprobs"] = {"boolean"};
  CheckTypes(ReadChat, GoodChat(), accepted);
}

TEST(FieldsTest, EveryCompletionFieldWithEveryType) {
  auto accepted = AcceptedTypes();
  accepted["logprobs"] = {"integer"};
  CheckTypes(ReadCompletion, {{"prompt", "x"}}, accepted);
}

struct Range {
  std::string name;
  double min, max;
  bool is_integer;
};

TEST(FieldsTest, NumbersAtTheEdges) {  // H15, H18, H27
  constexpr double kInt = 2147483647.0;
  constexpr int32_t kMaxCount = SamplingParams::kMaxCount;
  const Range ranges[] = {
      {"n", 1, 16, true},
#define RF_SAMPLING_PARAM(Type, field, neutral, least, most, key, options, help) \
  {key, least, most, std::is_integral_v<Type>},
#include "engine/sampler/sampling_params.def"
#undef RF_SAMPLING_PARAM
      {"max_tokens", 0, kInt, true},
      {"logprobs", 0, 5, true},
  };
  for (const Range& range : ranges) {
    const auto accepts = [&](const Json& value) {
      return ReadCompletion({{"prompt", "x"}, {range.name, value}}, nullptr).has_value();
    };
    const auto number = [&](double value) {
      return range.is_integer ? Json(static_cast<int64_t>(value)) : Json(value);
    };
    const double step = range.is_integer ? 1 : 1e-6;
    EXPECT_TRUE(accepts(number(range.min))) << range.name;
    EXPECT_TRUE(accepts(number(range.max))) << range.name;
    EXPECT_FALSE(accepts(number(range.min - step))) << range.name;
    EXPECT_FALSE(accepts(number(range.max + step))) << range.name;
    for (const char* huge : {"2147483648", "9007199254740993", "9223372036854775808", "18446744073709551616",
                             "-9223372036854775808", "1e30", "-1e30", "1e300"}) {
      EXPECT_FALSE(accepts(Json::parse(huge))) << range.name << " " << huge;
    }
    EXPECT_FALSE(accepts(std::nan(""))) << range.name;
  }
  const auto seed = [](const char* text) {
    return ReadCompletion({{"prompt", "x"}, {"seed", Json::parse(text)}}, nullptr).has_value();
  };
  EXPECT_TRUE(seed("-1") && seed("9223372036854775807") && seed("-9223372036854775808"));
  EXPECT_FALSE(seed("9223372036854775808") || seed("18446744073709551616") || seed("1.0"));
}

TEST(FieldsTest, StopsAndBiases) {  // H19, H20
  const auto where = [](const char* name, const Json& value) {
    const Status status = ReadCompletion({{"prompt", "x"}, {name, value}}, nullptr);
    return status ? std::string("accepted") : status.error().where;
  };
  EXPECT_EQ(where("stop", ""), "stop");
  EXPECT_EQ(where("stop", std::string(256, 'x')), "accepted");
  EXPECT_EQ(where("stop", std::string(257, 'x')), "stop");
  EXPECT_EQ(where("stop", Json(std::vector<std::string>(16, "x"))), "accepted");
  EXPECT_EQ(where("stop", Json(std::vector<std::string>(17, "x"))), "stop");
  EXPECT_EQ(where("stop", Json::array({"x", 5})), "stop[1]");
  EXPECT_EQ(where("stop", Json::array({""})), "stop[0]");
  for (const char* key : {"abc", "-1", "1000", "1e3", "", "+1", " 1", "99999999999999999999"}) {
    EXPECT_EQ(where("logit_bias", {{key, 1}}), "logit_bias") << key;
  }
  for (const Json& bias : {Json(100.5), Json(1e9), Json("1"), Json(nullptr), Json(std::nan(""))}) {
    EXPECT_EQ(where("logit_bias", {{"5", bias}}), "logit_bias") << bias;
  }
  Json many = Json::object();
  for (int i = 0; i < 1000; ++i) many[std::to_string(i)] = -100;
  EXPECT_EQ(where("logit_bias", many), "accepted");
}

TEST(JsonBodyTest, DepthIsLimited) {  // H10
  const auto nested = [](size_t depth) {
    return fmt::format("{{\"a\":{}{}}}", std::string(depth - 1, '['), std::string(depth - 1, ']'));
  };
  EXPECT_TRUE(ParseJsonBody(nested(64)));
  for (const size_t depth : {65u, 100'000u, 1'000'000u}) {
    const auto refused = ParseJsonBody(nested(depth));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("depth > 64"));
    EXPECT_FALSE(ParseJsonBody(std::string(depth, '[')));
  }
  EXPECT_TRUE(
      ParseJsonBody(R"({"a": "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"["})"));
}

TEST(JsonBodyTest, HostileBodiesCostLittle) {  // H10
  std::string keys = "{";
  for (int i = 0; i < 900'000; ++i) keys += fmt::format("\"{}\":1,", i);
  EXPECT_FALSE(ParseJsonBody(keys));  // never closed: as dear as the closed one
  keys.back() = '}';
  std::string objects = "{\"a\":[";
  for (int i = 0; i < 10'000; ++i) objects += R"({"role":"user","content":"x","name":"y"},)";
  objects.back() = ']';
  objects += '}';
  const std::string bodies[] = {keys, fmt::format("{{\"{}\":1}}", std::string(10 << 20, 'k')),
                                fmt::format("{{\"a\":1e{}}}", std::string(1 << 20, '9')),
                                fmt::format("{{\"a\":{}}}", std::string(1 << 20, '9')), std::string(2 << 20, ',')};
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(ParseJsonBody(bodies[0]));
  EXPECT_TRUE(ParseJsonBody(bodies[1]));
  EXPECT_FALSE(ParseJsonBody(bodies[2]));
  EXPECT_FALSE(ParseJsonBody(bodies[3]));
  EXPECT_FALSE(ParseJsonBody(bodies[4]));
  EXPECT_TRUE(ParseJsonBody(objects));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(JsonBodyTest, Messages) {
  EXPECT_THAT(ParseJsonBody("{\"a\": \"\xff\"}").error().message, HasSubstr("invalid UTF-8 at byte 7"));
  EXPECT_THAT(ParseJsonBody("{\"a\" 1}").error().message, HasSubstr("not valid JSON at byte 6"));
  EXPECT_THAT(ParseJsonBody("[1]").error().message, HasSubstr("must be a JSON object"));
  EXPECT_EQ((*ParseJsonBody(R"({"a": 1, "a": 2})"))["a"], 2);
}

}  // namespace
}  // namespace rf::server
