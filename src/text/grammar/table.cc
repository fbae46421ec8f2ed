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
    : automaton_(std::move(automaton)), vocabulary_(std::move(vocabulary)) {}

SetId Table::start() {
  seeds_ = {{automaton_->root(), 0, kEmptyStack}};
  return Close(seeds_);
}

SetId Table::MoveAll(SetId set, std::string_view bytes) {
  for (const char byte : bytes) {
    if (set == kNoState) break;
    set = Move(set, static_cast<uint8_t>(byte));
  }
  return set;
}

SetId Table::FindMove(SetId set, uint8_t byte) {
  // One token's mask must not fill the memory: what comes late in a monstrous grammar is refused.
  if (size_bytes_ > 2 * kMaxTableBytes) return kNoState;
  const uint32_t first = sets_[set].first_configuration;
  const uint32_t n = sets_[set].n_configurations;
  seeds_.clear();
  for (uint32_t i = first; i < first + n; ++i) {
    Configuration next = configurations_[i];
    const uint32_t move = automaton_->Next(next.state, byte);
    if (move == kNoState) continue;
    const auto& rule = automaton_->rule(automaton_->state(next.state).rule);
    next.state = move & ~kUnitDone;
    // Without an upper bound it only matters that the lower one is reached.
    if ((move & kUnitDone) != 0 && (rule.max != kUnbounded || next.n_units < rule.min)) ++next.n_units;
    seeds_.push_back(next);
  }
  const SetId target = seeds_.empty() ? kNoState : Close(seeds_);
  Set& from = sets_[set];
  if (!from.moves) {
    from.moves = std::make_unique<Moves>();
    from.moves->fill(kUnknown);
    size_bytes_ += sizeof(Moves);
  }
  (*from.moves)[byte] = target;
  if (n != 1) return target;
  // One configuration moves alike by all bytes of a class.
  const auto& rule = automaton_->rule(automaton_->state(configurations_[first].state).rule);
  for (size_t other = 0; other < 256; ++other) {
    if (rule.class_of[other] == rule.class_of[byte]) (*from.moves)[other] = target;
  }
  return target;
}

SetId Table::Close(std::vector<Configuration>& seeds) {
  todo_.assign(seeds.begin(), seeds.end());
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
  Set set{static_cast<uint32_t>(configurations_.size()), static_cast<uint32_t>(kept_.size()), is_complete, {}, nullptr};
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
