#include "text/grammar/matcher.h"

#include "text/grammar/limits.h"
#include "text/grammar/table.h"

namespace rf::grammar {

CompiledGrammar::CompiledGrammar(std::shared_ptr<const Automaton> automaton,
                                 std::shared_ptr<const Vocabulary> vocabulary)
    : automaton_(std::move(automaton)),
      vocabulary_(std::move(vocabulary)),
      table_(std::make_shared<Table>(automaton_, vocabulary_)) {}

CompiledGrammar::~CompiledGrammar() = default;

Matcher::Matcher(std::shared_ptr<const CompiledGrammar> grammar) : grammar_(std::move(grammar)) {
  const std::lock_guard lock(grammar_->mutex_);
  table_ = grammar_->table_;
  set_ = table_->start();
}

Matcher::~Matcher() = default;
Matcher::Matcher(const Matcher&) = default;
Matcher& Matcher::operator=(const Matcher&) = default;

bool Matcher::AcceptBytes(std::string_view bytes) {
  const std::lock_guard lock(grammar_->mutex_);
  Renew();
  const SetId next = table_->MoveAll(set_, bytes);
  if (next == kNoState) return false;
  set_ = next;
  return true;
}

// Moves on to a new table when the old one is full. Matchers that still use the old one follow one by one.
void Matcher::Renew() {
  if (grammar_->table_->size_bytes() > kMaxTableBytes) {
    grammar_->table_ = std::make_shared<Table>(grammar_->automaton_, grammar_->vocabulary_);
  }
  if (table_ == grammar_->table_) return;
  set_ = grammar_->table_->Import(*table_, set_);
  table_ = grammar_->table_;
}

bool Matcher::AcceptToken(int32_t token) {
  const std::string& bytes = grammar_->vocabulary_->token(static_cast<size_t>(token));
  return !bytes.empty() && AcceptBytes(bytes);
}

std::span<const uint64_t> Matcher::TokenMask() {
  const std::lock_guard lock(grammar_->mutex_);
  return table_->TokenMask(set_);
}

bool Matcher::IsComplete() const {
  const std::lock_guard lock(grammar_->mutex_);
  return table_->IsComplete(set_);
}

bool Matcher::IsFinished() const {
  const std::lock_guard lock(grammar_->mutex_);
  return table_->IsFinished(set_);
}

std::string Matcher::ForcedBytes(size_t max_bytes) const {
  const std::lock_guard lock(grammar_->mutex_);
  std::string forced;
  SetId set = set_;
  while (forced.size() < max_bytes && !table_->IsComplete(set)) {
    int n_bytes = 0;
    size_t byte = 0;
    for (size_t word = 0; word < 4; ++word) {
      const uint64_t bits = table_->Bytes(set)[word];
      n_bytes += __builtin_popcountll(bits);
      if (bits != 0) byte = word * 64 + static_cast<size_t>(__builtin_ctzll(bits));
    }
    if (n_bytes != 1) break;
    set = table_->Move(set, static_cast<uint8_t>(byte));
    if (set == kNoState) break;
    forced.push_back(static_cast<char>(byte));
  }
  return forced;
}

size_t Matcher::n_readings() const {
  const std::lock_guard lock(grammar_->mutex_);
  return table_->n_configurations(set_);
}

ByteSet Matcher::NextBytes() const {
  const std::lock_guard lock(grammar_->mutex_);
  return table_->Bytes(set_);
}

}  // namespace rf::grammar
