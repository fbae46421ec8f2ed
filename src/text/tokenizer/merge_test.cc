// Both tokenizers against the definition of their merges, carried out naively, on random vocabularies and texts.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "text/tokenizer/test_vocab.h"

namespace rf {
namespace {

using Words = std::vector<std::string>;

// Joins the best adjacent pair, the leftmost among equals, until no pair has a priority. Lower is better.
template <typename Priority>
Words MergeNaively(Words symbols, const Priority& priority) {
  while (true) {
    size_t best = 0;
    double best_priority = INFINITY;
    for (size_t i = 0; i + 1 < symbols.size(); ++i) {
      const double p = priority(symbols[i], symbols[i + 1]);
      if (p < best_priority) {
        best = i;
        best_priority = p;
      }
    }
    if (best_priority == INFINITY) return symbols;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
}

Words Characters(const std::string& text) {
  Words out;
  for (const char c : text) out.emplace_back(1, c);
  return out;
}

Words Pieces(const Tokenizer& tokenizer, const std::string& text) {
  Words out;
  for (const TokenId id : tokenizer.Encode(text, {.add_special = false})) out.push_back(tokenizer.Piece(id));
  return out;
}

std::string RandomText(std::mt19937& random, size_t max_length) {
  std::string text(1 + random() % max_length, ' ');
  const unsigned n_letters = 2 + random() % 4;
  for (char& c : text) c = static_cast<char>('a' + random() % n_letters);
  return text;
}

TEST(MergeTest, ByteBpeMatchesTheDefinition) {
  std::mt19937 random(1);
  for (int round = 0; round < 60; ++round) {
    // Any two known pieces may be merged, in any order of ranks: also orders that no training would give.
    Words known = {"a", "b", "c", "d", "e"};
    std::vector<std::pair<std::string, std::string>> pairs;
    std::map<std::pair<std::string, std::string>, double> ranks;
    for (int i = 0; i < 40; ++i) {
      const std::pair pair(known[random() % known.size()], known[random() % known.size()]);
      const std::string merged = pair.first + pair.second;
      if (std::find(known.begin(), known.end(), merged) != known.end()) continue;
      known.push_back(merged);
      pairs.push_back(pair);
    }
    std::shuffle(pairs.begin(), pairs.end(), random);
    for (size_t i = 0; i < pairs.size(); ++i) ranks[pairs[i]] = static_cast<double>(i);
    const auto tokenizer = test_vocab::MakeTokenizer(test_vocab::ByteLevel("gpt-2", pairs));
    for (int i = 0; i < 20; ++i) {
      const std::string text = RandomText(random, i < 10 ? 30 : 400);
      const Words expected = MergeNaively(Characters(text), [&](const std::string& left, const std::string& right) {
        const auto found = ranks.find({left, right});
        return found == ranks.end() ? static_cast<double>(INFINITY) : found->second;
      });
      ASSERT_EQ(Pieces(*tokenizer, text), expected) << text;
    }
  }
}

TEST(MergeTest, SpmMatchesTheDefinition) {
  std::mt19937 random(2);
  for (int round = 0; round < 60; ++round) {
    std::map<std::string, float> scores;
    for (const char* letter : {"a", "b", "c", "d"}) scores[letter] = -1000;
    for (int i = 0; i < 40; ++i) {
      // Few different scores, so that many pairs are equally good.
      scores.emplace(RandomText(random, 6), -static_cast<float>(random() % 6));
    }
    VocabData data = test_vocab::SentencePiece({scores.begin(), scores.end()});
    data.add_space_prefix = false;
    const auto tokenizer = test_vocab::MakeTokenizer(std::move(data));
    for (int i = 0; i < 20; ++i) {
      const std::string text = RandomText(random, i < 10 ? 30 : 400);
      const Words expected = MergeNaively(Characters(text), [&](const std::string& left, const std::string& right) {
        const auto found = scores.find(left + right);
        return found == scores.end() ? static_cast<double>(INFINITY) : -static_cast<double>(found->second);
      });
      ASSERT_EQ(Pieces(*tokenizer, text), expected) << text;
    }
  }
}

}  // namespace
}  // namespace rf
