#include "server/supervisor/worker_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include <fmt/format.h>

namespace rf::server {
namespace {

constexpr int kFirstForeign = kWorkerChannel + 2;  // descriptors from here on are not the worker's
constexpr int kHighestForeign = 65536;             // if the kernel cannot close a range
constexpr int kExitNotStarted = 127;

Error StartError(const char* call) {
  return {ErrorCode::kIo, fmt::format("cannot start a worker process: {}: {}", call, strerror(errno)), ""};
}

// A descriptor above those that the worker will have, so that none of them is overwritten before it was copied.
int MoveAway(int descriptor) {
  return fcntl(descriptor, F_DUPFD_CLOEXEC, kFirstForeign);
}

void CloseForeign() {
#ifdef SYS_close_range
  if (syscall(SYS_close_range, kFirstForeign, ~0u, 0) == 0) return;
#endif
  for (int descriptor = kFirstForeign; descriptor < kHighestForeign; ++descriptor) close(descriptor);
}

// In the child after fork(): system calls only.
[[noreturn]] void Become(char* const* arguments, int channel, int board, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const bool has_parent = getppid() == parent;
  channel = MoveAway(channel);
  board = MoveAway(board);
  if (has_parent && dup2(channel, kWorkerChannel) >= 0 && dup2(board, kWorkerChannel + 1) >= 0) {
    CloseForeign();
    execv("/proc/self/exe", arguments);
  }
  _exit(kExitNotStarted);
}

std::string DescribeEnd(int status) {
  if (WIFSIGNALED(status)) return fmt::format("by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  return fmt::format("with exit code {}", WEXITSTATUS(status));
}

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(const boost::asio::any_io_executor& executor,
                                                            const std::vector<std::string>& command) {
  RF_ASSIGN_OR_RETURN(SharedBoard board, SharedBoard::Create());
  int ends[2];
  RF_RETURN_IF_ERROR(MakeSocketPair(SOCK_SEQPACKET, ends));
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess(executor, std::move(board), ends[0]));
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) Become(arguments.data(), ends[1], worker->board_.descriptor(), parent);
  close(ends[1]);
  if (pid < 0) return StartError("fork");
  worker->pid_ = pid;
  return worker;
}

// It ends by itself when the channel closes; who does not is killed.
WorkerProcess::~WorkerProcess() {
  boost::system::error_code ignored;
  channel_.close(ignored);
  const auto begin = std::chrono::steady_clock::now();
  while (pid_ > 0 && !Reap()) {
    const auto elapsed = std::chrono::steady_clock::now() - begin;
    if (elapsed > std::chrono::seconds(kMaxEndSeconds) / 2) Kill();
    if (elapsed > std::chrono::seconds(kMaxEndSeconds)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Result<int> WorkerProcess::Connect(uint64_t tag) {
  int ends[2];
  RF_RETURN_IF_ERROR(MakeSocketPair(SOCK_STREAM, ends));
  const Status sent =
      SendMessage(channel_.native_handle(), {MessageKind::kConnection, tag, ErrorCode::kInternal, "", ends[1]});
  close(ends[1]);
  if (sent) return ends[0];
  close(ends[0]);
  return sent.error();
}

void WorkerProcess::Kill() {
  if (pid_ > 0) kill(pid_, SIGKILL);
}

std::optional<std::string> WorkerProcess::Reap() {
  int status = 0;
  if (pid_ <= 0 || waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  return DescribeEnd(status);
}

Result<std::vector<std::string>> OwnCommand(const std::string& command, const std::string& argument) {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  const auto found = std::find(words.begin(), words.end(), command);
  if (found == words.end()) return Error{ErrorCode::kIo, "this process's command line cannot be read from /proc", ""};
  words.insert(found + 1, argument);
  return words;
}

}  // namespace rf::server
