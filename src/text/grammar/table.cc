#include "text/grammar/table.h"

#include <algorithm>

#include "text/grammar/limits.h"

namespace rf::grammar {
namespace {

uint64_t Mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  return hash ^ (hash >> 29);
}

uint64_t HashOf(const Configuration& item) {
  return Mix(Mix(0, uint64_t{item.state} << 32 | item.stack), item.n_units);
}

}  // namespace

bool Table::SeenSet::Add(const Configuration& item) {
  if (list_.size() < kFew) {
    if (std::find(list_.begin(), list_.end(), item) != list_.end()) return false;
  } else {
    if (hashed_.empty()) hashed_.insert(list_.begin(), list_.end());
    if (!hashed_.insert(item).second) return false;
  }
  list_.push_back(item);
  return true;
}

size_t Table::ConfigurationHash::operator()(const Configuration& item) const {
  return HashOf(item);
}

Table::Table(std::shared_ptr<const Automaton> automaton, std::shared_ptr<const Vocabulary> vocabulary)
    : automaton_(std::move(automaton)), vocabulary_(std::move(vocabulary)), builder_(vocabulary_->n_words()) {}

SetId Table::start() {
  return SetAt({automaton_->root(), 0, kEmptyStack});
}

Table::Position Table::At(SetId set) const {
  const Set& known = sets_[set];
  if (known.n_configurations != 1 || known.is_complete) return Position(set);
  return Position(configurations_[known.first_configuration]);
}

SetId Table::SetOf(const Position& position) {
  if (position.is_set()) return position.set();
  kept_ = {position.item_};
  return Intern(false);
}

// One token's mask must not fill the memory: what comes late in a monstrous grammar is refused.
bool Table::IsFull() const {
  return size_bytes_ > 2 * kMaxTableBytes;
}

Configuration Table::Advance(const Configuration& from, uint32_t move) const {
  Configuration next = from;
  next.state = move & ~kUnitDone;
  if ((move & kUnitDone) != 0) {
    const auto& rule = automaton_->rule(automaton_->state(next.state).rule);
    // Without an upper bound it only matters that the lower one is reached.
    if (rule.max != kUnbounded || next.n_units < rule.min) ++next.n_units;
  }
  return next;
}

bool Table::Step(const Position& from, uint8_t byte, Position& to) {
  if (!from.is_set()) {
    const uint32_t move = automaton_->Next(from.item_.state, byte);
    if (move == kNoState) return false;
    const Configuration next = Advance(from.item_, move);
    if (automaton_->state(next.state).is_plain) {
      to = Position(next);
      return true;
    }
    const SetId set = SetAt(next);
    if (set != kNoState) to = At(set);
    return set != kNoState;
  }
  const SetId set = Move(from.set(), byte);
  if (set != kNoState) to = At(set);
  return set != kNoState;
}

SetId Table::MoveAll(SetId set, std::string_view bytes) {
  Position position = At(set);
  for (const char byte : bytes) {
    Position next;
    if (!Step(position, static_cast<uint8_t>(byte), next)) return kNoState;
    position = next;
  }
  return SetOf(position);
}

SetId Table::Move(SetId set, uint8_t byte) {
  const Set& from = sets_[set];
  if (!HasByte(from.bytes, byte)) return kNoState;
  if (from.moves) {
    const uint32_t known = from.moves[from.classes->class_of[byte]];
    if (known != kUnknown) return known;
  }
  return FindMove(set, byte);
}

SetId Table::FindMove(SetId set, uint8_t byte) {
  if (IsFull()) return kNoState;
  PrepareMoves(sets_[set]);
  const uint32_t first = sets_[set].first_configuration;
  const uint32_t n = sets_[set].n_configurations;
  todo_.clear();
  for (uint32_t i = first; i < first + n; ++i) {
    const uint32_t move = automaton_->Next(configurations_[i].state, byte);
    if (move != kNoState) todo_.push_back(Advance(configurations_[i], move));
  }
  const SetId target = Close();
  Set& from = sets_[set];
  from.moves[from.classes->class_of[byte]] = target;
  return target;
}

void Table::PrepareMoves(Set& set) {
  if (set.moves) return;
  set.classes = &ClassesOf(set);
  set.moves = std::make_unique<uint32_t[]>(set.classes->n_classes);
  std::fill_n(set.moves.get(), set.classes->n_classes, kUnknown);
  size_bytes_ += set.classes->n_classes * sizeof(uint32_t);
}

const Table::ByteClasses& Table::ClassesOf(const Set& set) {
  std::u32string rules;  // configurations are sorted, so those of one rule are neighbours
  for (uint32_t i = 0; i < set.n_configurations; ++i) {
    const RuleId rule = automaton_->state(configurations_[set.first_configuration + i].state).rule;
    if (rules.empty() || rules.back() != rule) rules.push_back(rule);
  }
  const auto [found, is_new] = known_classes_.try_emplace(std::move(rules));
  if (!is_new) return found->second;
  ByteClasses& classes = found->second;
  size_bytes_ += sizeof(ByteClasses) + 64;
  for (const RuleId id : found->first) {
    const auto& rule = automaton_->rule(id);
    std::vector<uint16_t> joint(size_t{classes.n_classes} * rule.n_classes, 0xFFFF);
    uint16_t n_joint = 0;
    for (size_t byte = 0; byte < 256; ++byte) {
      uint16_t& class_of = joint[classes.class_of[byte] * rule.n_classes + rule.class_of[byte]];
      if (class_of == 0xFFFF) class_of = n_joint++;
      classes.class_of[byte] = static_cast<uint8_t>(class_of);
    }
    classes.n_classes = n_joint;
  }
  return classes;
}

// The set of what the configuration can be and, by calls and returns, become before the next byte.
SetId Table::SetAt(const Configuration& configuration) {
  const auto found = known_closures_.find(configuration);
  if (found != known_closures_.end()) return found->second;
  if (IsFull()) return kNoState;
  todo_ = {configuration};
  const SetId set = Close();
  known_closures_.emplace(configuration, set);
  size_bytes_ += sizeof(Configuration) + 48;
  return set;
}

SetId Table::Close() {
  kept_.clear();
  seen_.Clear();
  is_complete_ = false;
  while (!todo_.empty()) {
    const Configuration configuration = todo_.back();
    todo_.pop_back();
    if (!seen_.Add(configuration)) continue;
    // A text with so many readings is refused rather than followed for ever.
    if (seen_.size() > kMaxConfigurations) return kNoState;
    CloseOver(configuration);
  }
  if (kept_.empty() && !is_complete_) return kNoState;
  return Intern(is_complete_);
}

void Table::CloseOver(const Configuration& configuration) {
  const Automaton::State& state = automaton_->state(configuration.state);
  const Automaton::RuleInfo& rule = automaton_->rule(state.rule);
  if (rule.is_counted && configuration.state == rule.start) {
    if (configuration.n_units >= rule.min) Return(configuration.stack);
    if (configuration.n_units < rule.max) kept_.push_back(configuration);
    return;
  }
  if (state.has_bytes) kept_.push_back(configuration);
  if (state.is_accepting && !rule.is_counted) Return(configuration.stack);
  for (uint32_t i = state.call_begin; i < state.call_end; ++i) {
    const Automaton::Call& call = automaton_->call(i);
    // A call in last place returns to the caller's caller: no frame, so repetition by right recursion needs no depth.
    const bool is_last = automaton_->state(call.target).is_last();
    const uint32_t stack = is_last ? configuration.stack : Push(call.target, configuration.stack);
    if (stack != kUnknown) todo_.push_back({call.start, 0, stack});
  }
}

void Table::Return(uint32_t stack) {
  if (stack == kEmptyStack) {
    is_complete_ = true;
  } else {
    todo_.push_back({frames_[stack].state, 0, frames_[stack].below});
  }
}

uint32_t Table::Push(StateId state, uint32_t below) {
  if (frames_[below].depth >= kMaxDepth) return kUnknown;
  const auto [found, is_new] =
      known_frames_.emplace(uint64_t{state} << 32 | below, static_cast<uint32_t>(frames_.size()));
  if (is_new) {
    frames_.push_back({state, below, frames_[below].depth + 1});
    size_bytes_ += sizeof(Frame) + 48;
  }
  return found->second;
}

SetId Table::Intern(bool is_complete) {
  std::sort(kept_.begin(), kept_.end());
  uint64_t hash = is_complete ? 1 : 0;
  for (const Configuration& item : kept_) hash = Mix(hash, HashOf(item));
  const auto [begin, end] = known_sets_.equal_range(hash);
  for (auto known = begin; known != end; ++known) {
    const Set& set = sets_[known->second];
    const auto first = configurations_.begin() + set.first_configuration;
    if (set.is_complete == is_complete && set.n_configurations == kept_.size() &&
        std::equal(kept_.begin(), kept_.end(), first)) {
      return known->second;
    }
  }
  Set set{static_cast<uint32_t>(configurations_.size()), static_cast<uint32_t>(kept_.size()), is_complete, {}};
  for (const Configuration& item : kept_) {
    for (size_t i = 0; i < 4; ++i) set.bytes[i] |= automaton_->bytes(item.state)[i];
  }
  configurations_.insert(configurations_.end(), kept_.begin(), kept_.end());
  size_bytes_ += sizeof(Set) + kept_.size() * sizeof(Configuration) + 64;
  sets_.push_back(std::move(set));
  const auto id = static_cast<SetId>(sets_.size() - 1);
  known_sets_.emplace(hash, id);
  return id;
}

SetId Table::Import(const Table& other, SetId set) {
  const Set& from = other.sets_[set];
  kept_.clear();
  for (uint32_t i = 0; i < from.n_configurations; ++i) {
    Configuration item = other.configurations_[from.first_configuration + i];
    std::vector<StateId> returns;
    for (uint32_t at = item.stack; at != kEmptyStack; at = other.frames_[at].below) {
      returns.push_back(other.frames_[at].state);
    }
    item.stack = kEmptyStack;
    for (size_t k = returns.size(); k > 0; --k) item.stack = Push(returns[k - 1], item.stack);
    kept_.push_back(item);
  }
  return Intern(from.is_complete);
}

}  // namespace rf::grammar
