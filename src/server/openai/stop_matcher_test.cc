#include "server/openai/stop_matcher.h"

#include <gtest/gtest.h>

#include <random>

namespace rf::server {
namespace {

// The definition, on the whole text: the stop that is complete first counts, the longest of those that end there.
std::string CutNaively(const std::string& text, const std::vector<std::string>& stops) {
  for (size_t end = 1; end <= text.size(); ++end) {
    size_t length = 0;
    for (const std::string& stop : stops) {
      if (stop.size() > length && stop.size() <= end && text.compare(end - stop.size(), stop.size(), stop) == 0) {
        length = stop.size();
      }
    }
    if (length > 0) return text.substr(0, end - length);
  }
  return text;
}

TEST(StopMatcherTest, AnyCutOfTheTextGivesTheSame) {
  std::mt19937 random(1);
  const auto text_of = [&](size_t size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) text += static_cast<char>('a' + random() % 3);
    return text;
  };
  int n_stopped = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::string> stops;
    for (size_t i = 0; i < 1 + random() % 3; ++i) stops.push_back(text_of(1 + random() % 6));
    const std::string text = text_of(random() % 40);
    const std::string wanted = CutNaively(text, stops);
    StopMatcher matcher(stops);
    std::string got;
    for (size_t begin = 0; begin < text.size() && !matcher.stopped();) {
      const size_t size = 1 + random() % 5;
      got += matcher.Add(std::string_view(text).substr(begin, size));
      ASSERT_TRUE(wanted.starts_with(got)) << "something of a stop string came out";
      begin += size;
    }
    if (!matcher.stopped()) got += matcher.Finish();
    ASSERT_EQ(got, wanted) << text;
    ASSERT_EQ(matcher.stopped(), wanted.size() < text.size());
    n_stopped += matcher.stopped() ? 1 : 0;
  }
  EXPECT_GT(n_stopped, 1000);
}

TEST(StopMatcherTest, HoldsBackNoMoreThanItMust) {
  StopMatcher matcher({"\n\nUser:"});
  EXPECT_EQ(matcher.Add("Hello"), "Hello");
  EXPECT_EQ(matcher.Add(" there\n"), " there");
  EXPECT_EQ(matcher.Add("x"), "\nx");
  EXPECT_EQ(matcher.Add("\n\n"), "");
  EXPECT_EQ(matcher.Add("\nUser"), "\n");
  EXPECT_EQ(matcher.Add(": next"), "");
  EXPECT_TRUE(matcher.stopped());
  EXPECT_EQ(matcher.Add("more"), "");
}

}  // namespace
}  // namespace rf::server
