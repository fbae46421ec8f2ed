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
Matcher::Matcher(const Matcher& other) : grammar_(other.grammar_), table_(other.table_), set_(other.set_) {}

Matcher& Matcher::operator=(const Matcher& other) {
  if (this == &other) return *this;
  mask_.Clear();
  grammar_ = other.grammar_;
  table_ = other.table_;
  set_ = other.set_;
  return *this;
}

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
  mask_.Clear();
  table_ = grammar_->table_;
}

bool Matcher::AcceptToken(int32_t token) {
  const std::string& bytes = grammar_->vocabulary_->token(static_cast<size_t>(token));
  return !bytes.empty() && AcceptBytes(bytes);
}

std::span<const uint64_t> Matcher::TokenMask() {
  const std::lock_guard lock(grammar_->mutex_);
  return mask_.Show(table_->Tokens(set_), grammar_->vocabulary_->n_words());
}

bool Matcher::IsComplete() const {
  const std::lock_guard lock(grammar_->mutex_);
  return table_->IsComplete(Table::Position(set_));
}

bool Matcher::IsFinished() const {
  const std::lock_guard lock(grammar_->mutex_);
  return table_->IsFinished(set_);
}

std::string Matcher::ForcedBytes(size_t max_bytes) const {
  const std::lock_guard lock(grammar_->mutex_);
  std::string forced;
  Table::Position position = table_->At(set_);
  while (forced.size() < max_bytes && !table_->IsComplete(position)) {
    const ByteSet bytes = table_->Bytes(position);
    if (CountBytes(bytes) != 1) break;
    uint8_t byte = 0;
    ForEachByte(bytes, [&](uint8_t only) { byte = only; });
    Table::Position next;
    if (!table_->Step(position, byte, next)) break;
    position = next;
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
  return table_->Bytes(Table::Position(set_));
}

}  // namespace rf::grammar
