// Which tokens of a vocabulary an automaton allows.
#pragma once

#include <algorithm>

#include "text/grammar/trie_walker.h"
#include "text/grammar/vocabulary.h"

namespace rf::grammar {

/// Fewer bytes than these are no slice's.
inline constexpr int kMinSliceBytes = 48;

/// Finds the tokens whose bytes may come after `start`: on_slice(mask) first, if all of a slice may, then
/// on_token(token) for each other one. `step` and `bytes_of` as in TrieWalker::Walk(). A state that counts follows no
/// slice.
template <typename State, typename Step, typename BytesOf, typename OnSlice, typename OnToken>
void WalkTokens(const Vocabulary& vocabulary, TrieWalker<State>& walker, const State& start, bool is_counting,
                Step step, BytesOf bytes_of, OnSlice on_slice, OnToken on_token) {
  const ByteTrie* trie = &vocabulary.trie();
  if (!is_counting && CountBytes(bytes_of(start)) >= kMinSliceBytes) {
    const auto& slices = vocabulary.slices();
    const auto found =
        std::find_if(slices.begin(), slices.end(), [&](const Slice& slice) { return slice.MayFollow(start, step); });
    if (found != slices.end()) {
      on_slice(found->mask());
      trie = &found->rest();
    }
  }
  walker.Walk(*trie, 0, start, step, bytes_of, [&](uint32_t node, const State&) {
    for (const int32_t* token = trie->tokens_begin(node); token != trie->tokens_end(node); ++token) on_token(*token);
  });
}

}  // namespace rf::grammar
