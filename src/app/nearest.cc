#include "app/nearest.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

namespace rf::app {
namespace {

constexpr size_t kMaxWordLength = 64;

// Edits that turn a into b: a letter more, less or another, or two neighbours changed round. Row i of the table is
// about the first i letters of a.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last, last, row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last = std::exchange(last, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool is_swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row.back();
}

std::vector<std::string> FlagNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string Closest(std::string_view word, const std::vector<std::string>& names) {
  std::string best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const std::string& name : names) {
    const size_t distance = EditDistance(word, name);
    if (distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace

std::string NearestName(const CLI::App& root, int argc, char** argv) {
  std::vector<std::string> commands;
  for (const CLI::App* command : root.get_subcommands({})) commands.push_back(command->get_name());
  const CLI::App* current = &root;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    if (word.size() > kMaxWordLength) continue;
    if (word.rfind("--", 0) == 0) {
      word = word.substr(0, word.find('='));
      const auto names = FlagNames(*current);
      if (std::find(names.begin(), names.end(), word) == names.end()) return Closest(word, names);
    } else if (current == &root) {
      const auto found = std::find(commands.begin(), commands.end(), word);
      if (found == commands.end()) return Closest(word, commands);
      current = root.get_subcommand(word);
    }
  }
  return "";
}

}  // namespace rf::app
