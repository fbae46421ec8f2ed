#include "app/chat/line_reader.h"

#include <pty.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <future>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "app/interrupt.h"

namespace rf::app {
namespace {

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

  // Reads a line; if nothing ends that in time, an empty line does.
  Line Read(LineReader& reader) {
    std::promise<void> done;
    const auto watch = std::async(std::launch::async, [this, done = done.get_future()] {
      if (done.wait_for(std::chrono::seconds(10)) == std::future_status::timeout) Type("\n");
    });
    Line line = reader.Read("> ");
    done.set_value();
    return line;
  }
  void Type(const std::string& text) {
    ASSERT_EQ(write(master_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  int master_ = -1;
  int stdin_ = -1;
  int stderr_ = -1;
  void (*old_handler_)(int) = SIG_DFL;
};

TEST_F(LineReaderTest, ReadsCharactersOfSeveralBytes) {
  const InterruptScope scope;
  LineReader reader("");
  Type("Zo\xc3\xab \xff\xf0\x9f\x99\x82!\n");
  const Line line = Read(reader);
  EXPECT_EQ(line.event, LineEvent::kLine);
  EXPECT_EQ(line.text, "Zo\xc3\xab \xf0\x9f\x99\x82!") << "the byte that is no character is passed over";
}

TEST_F(LineReaderTest, CtrlCJustBeforeTheWaitIsNotLost) {
  const InterruptScope scope;
  LineReader reader("");
  raise(SIGINT);
  EXPECT_EQ(Read(reader).event, LineEvent::kInterrupted);
  InterruptScope::Clear();
  const auto later = std::async(std::launch::async, [this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    Type("half");
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    kill(getpid(), SIGINT);  // whichever thread takes it
  });
  const Line line = Read(reader);
  EXPECT_EQ(line.event, LineEvent::kInterrupted);
  EXPECT_EQ(line.text, "half");
}

TEST_F(LineReaderTest, CtrlDAtTheBeginningIsTheEnd) {
  const InterruptScope scope;
  LineReader reader("");
  Type("\x04");
  EXPECT_EQ(Read(reader).event, LineEvent::kEnd);
}

}  // namespace
}  // namespace rf::app
