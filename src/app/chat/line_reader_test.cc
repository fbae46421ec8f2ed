#include "app/chat/line_reader.h"

#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <future>
#include <string>

#include <gtest/gtest.h>

#include "app/interrupt.h"

namespace rf::app {
namespace {

using std::chrono::milliseconds;

// A pseudo-terminal in place of standard input and standard error: the editor edits only if both are terminals.
class LineReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    setenv("TERM", "xterm", 1);
    int slave = -1;
    ASSERT_EQ(openpty(&master_, &slave, nullptr, nullptr, nullptr), 0);
    stdin_ = dup(STDIN_FILENO);
    stderr_ = dup(STDERR_FILENO);
    dup2(slave, STDIN_FILENO);
    dup2(slave, STDERR_FILENO);
    close(slave);
    old_handler_ = std::signal(SIGINT, SIG_DFL);
    InstallSignalHandlers();
  }
  void TearDown() override {
    dup2(stdin_, STDIN_FILENO);
    dup2(stderr_, STDERR_FILENO);
    close(stdin_);
    close(stderr_);
    close(master_);
    std::signal(SIGINT, old_handler_);
  }

  // Reads a line. What is typed comes when the editor listens: before that, Ctrl-D and Ctrl-C would be the kernel's. If
  // nothing ends the line in time, a newline does.
  Line Read(LineReader& reader, const std::string& typed, bool interrupts = false) {
    std::promise<void> done;
    const auto person = std::async(std::launch::async, [&, is_done = done.get_future()] {
      while (IsCooked() && is_done.wait_for(milliseconds(1)) == std::future_status::timeout) {
      }
      Type(typed);
      if (interrupts) {
        is_done.wait_for(milliseconds(200));  // for the editor to take what was typed
        kill(getpid(), SIGINT);               // whichever thread takes it
      }
      if (is_done.wait_for(std::chrono::seconds(10)) == std::future_status::timeout) Type("\n");
    });
    Line line = reader.Read("> ");
    done.set_value();
    return line;
  }

  static bool IsCooked() {
    termios state{};
    return tcgetattr(STDIN_FILENO, &state) == 0 && (state.c_lflag & ICANON) != 0;
  }
  void Type(const std::string& text) {
    EXPECT_EQ(write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  int master_ = -1;
  int stdin_ = -1;
  int stderr_ = -1;
  void (*old_handler_)(int) = SIG_DFL;
};

TEST_F(LineReaderTest, ReadsCharactersOfSeveralBytes) {
  const InterruptScope scope;
  LineReader reader("");
  const Line line = Read(reader, "Zo\xc3\xab \xff\xf0\x9f\x99\x82!\n");
  EXPECT_EQ(line.event, LineEvent::kLine);
  EXPECT_EQ(line.text, "Zo\xc3\xab \xf0\x9f\x99\x82!") << "the byte that is no character is passed over";
}

TEST_F(LineReaderTest, CtrlCJustBeforeTheWaitIsNotLost) {
  const InterruptScope scope;
  LineReader reader("");
  raise(SIGINT);
  EXPECT_EQ(Read(reader, "").event, LineEvent::kInterrupted);
  InterruptScope::Clear();
  const Line line = Read(reader, "half", /*interrupts=*/true);
  EXPECT_EQ(line.event, LineEvent::kInterrupted);
  EXPECT_EQ(line.text, "half");
}

TEST_F(LineReaderTest, CtrlDAtTheBeginningIsTheEnd) {
  const InterruptScope scope;
  LineReader reader("");
  EXPECT_EQ(Read(reader, "\x04").event, LineEvent::kEnd);
}

}  // namespace
}  // namespace rf::app
