// Lines from a terminal: editing and history, by libedit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace rf::app {

enum class LineEvent : uint8_t {
  kLine,
  kInterrupted,  ///< Ctrl-C
  kEnd,          ///< Ctrl-D at the beginning of a line, or the terminal is gone
};

struct Line {
  LineEvent event;
  std::string text;  ///< without the newline; for kInterrupted what had been typed
};

/// One at a time in a process. While a line is read the terminal is in the editor's mode; otherwise it is as it was.
/// Ctrl-C must be caught by an InterruptScope, or it ends the program.
class LineReader {
 public:
  /// `history_path`: a file that keeps the lines for the next time; empty: none. A file that cannot be read or written
  /// is no reason to fail.
  explicit LineReader(std::string history_path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// Shows the prompt and reads a line.
  Line Read(const std::string& prompt);
  /// Puts a line into the history, and into its file.
  void Remember(const std::string& line);

 private:
  struct Editor;
  std::unique_ptr<Editor> editor_;
};

/// Where the chat's history is kept: $XDG_STATE_HOME/rocmforge/history or ~/.local/state/rocmforge/history, its folder
/// made if missing. Empty, with a warning in the log, if there is no such place.
std::string HistoryPath();

}  // namespace rf::app
