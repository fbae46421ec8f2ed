// Finds stop strings in a text that grows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rf::server {

/// Lets text through up to the first stop string. What could be the beginning of one is held back, so that no part of a
/// stop string is ever let through. The result does not depend on how the text is cut into pieces: the stop that is
/// complete first counts, of those that end at the same byte the longest.
class StopMatcher {
 public:
  /// REQUIRES: no stop is empty.
  explicit StopMatcher(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  /// Appends text and returns what is certain now. After a stop nothing more comes.
  std::string Add(std::string_view text);
  /// What is still held back, at the end of the text.
  std::string Finish();
  /// Whether a stop string came.
  bool stopped() const { return stopped_; }

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace rf::server
