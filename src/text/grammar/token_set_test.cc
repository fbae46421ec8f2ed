// Sets of tokens against std::set.
#include "text/grammar/token_set.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace rf::grammar {
namespace {

constexpr int32_t kTokens = 1000;
constexpr size_t kWords = (kTokens + 63) / 64;

std::set<int32_t> TokensOf(std::span<const uint64_t> bits) {
  std::set<int32_t> tokens;
  for (int32_t token = 0; token < kTokens; ++token) {
    if ((bits[static_cast<size_t>(token) / 64] >> (token % 64) & 1) != 0) tokens.insert(token);
  }
  return tokens;
}

class RandomSets {
 public:
  explicit RandomSets(uint32_t seed) : random_(seed) {
    for (int i = 0; i < 3; ++i) {
      Mask mask(kWords, 0);
      for (int k = 0; k < 300; ++k) {
        if (const int32_t token = Token(); !HasToken(mask, token)) FlipToken(mask, token);
      }
      masks_.push_back(std::move(mask));
    }
  }

  // A set made in random steps, some with few tokens, some with more than a bitmap is worth; and what it must be.
  std::pair<TokenSet, std::set<int32_t>> Next(TokenSetBuilder& builder) {
    std::set<int32_t> expected;
    const size_t n_steps = random_() % 40;
    for (size_t i = 0; i < n_steps; ++i) {
      const int32_t token = Token();
      switch (random_() % 8) {
        case 0: {
          const Mask& mask = masks_[random_() % masks_.size()];
          const std::set<int32_t> all = TokensOf(mask);
          std::set<int32_t> without;
          for (const int32_t member : all) {
            if (random_() % 50 == 0) without.insert(member);
          }
          builder.Unite(mask, std::vector<int32_t>(without.begin(), without.end()));
          for (const int32_t member : all) {
            if (!without.contains(member)) expected.insert(member);
          }
          break;
        }
        case 1:
        case 2:
          builder.Remove(token);
          expected.erase(token);
          break;
        default:
          builder.Add(token);
          expected.insert(token);
          break;
      }
    }
    return {builder.Finish(), expected};
  }

 private:
  int32_t Token() { return static_cast<int32_t>(random_() % kTokens); }

  std::mt19937 random_;
  std::vector<Mask> masks_;
};

TEST(TokenSet, HoldsWhatWasPutIntoIt) {
  TokenSetBuilder builder(kWords);
  for (uint32_t seed = 0; seed < 30; ++seed) {
    RandomSets sets(seed);
    MaskBuffer shown;
    std::deque<TokenSet> kept;
    for (int i = 0; i < 30; ++i) {
      auto [set, expected] = sets.Next(builder);
      EXPECT_EQ(std::set<int32_t>(set.flips.begin(), set.flips.end()).size(), set.flips.size()) << "one token twice";
      EXPECT_LE(set.flips.size(), kWords) << "a bitmap would be smaller";
      kept.push_back(std::move(set));
      // Each is shown after another one, and again; a fresh buffer shows the same.
      ASSERT_EQ(TokensOf(shown.Show(kept.back(), kWords)), expected) << "seed " << seed << ", set " << i;
      ASSERT_EQ(TokensOf(shown.Show(kept.back(), kWords)), expected);
      MaskBuffer fresh;
      ASSERT_EQ(TokensOf(fresh.Show(kept.back(), kWords)), expected);
      if (i % 7 == 3) shown.Clear();
    }
  }
}

}  // namespace
}  // namespace rf::grammar
