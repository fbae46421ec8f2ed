// The supervisor's side of a worker process: its start, its channel, its board, its end.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "base/result.h"
#include "server/supervisor/board.h"
#include "server/supervisor/channel.h"

namespace rf::server {

/// Where a worker finds its end of the channel; the board is the descriptor after it.
inline constexpr int kWorkerChannel = 3;

class WorkerProcess {
 public:
  /// Starts this program once more with `command` (its name first). It inherits the standard streams and its two
  /// descriptors, nothing else, and is killed when the calling thread's process ends. Errors: kIo.
  static Result<std::unique_ptr<WorkerProcess>> Start(const boost::asio::any_io_executor& executor,
                                                      const std::vector<std::string>& command);
  /// Ends the process; it is gone afterwards, or was given up after kMaxEndSeconds.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  static constexpr int kMaxEndSeconds = 2;

  pid_t pid() const { return pid_; }
  const SharedBoard& board() const { return board_; }
  /// To wait for messages with.
  boost::asio::posix::stream_descriptor& channel() { return channel_; }

  /// As ReceiveMessage(): kIo means that the process is over or must be treated so.
  Result<std::optional<ChannelMessage>> Receive() { return ReceiveMessage(channel_.native_handle()); }

  /// A connection to the worker's HTTP server, whose requests carry `tag`; the caller owns it. Errors: kBusy (the
  /// worker does not take it now), kIo.
  Result<int> Connect(uint64_t tag);

  /// Asks for its end; Reap() tells when it is there.
  void Kill();
  /// How it ended, in words ("by signal 9 (Killed)", "with exit code 4"); nothing while it has not.
  std::optional<std::string> Reap();

 private:
  WorkerProcess(const boost::asio::any_io_executor& executor, SharedBoard board, int channel)
      : board_(std::move(board)), channel_(executor, channel) {}

  SharedBoard board_;
  boost::asio::posix::stream_descriptor channel_;
  pid_t pid_ = -1;  // -1: not started, or reaped
};

/// The command line of this process with `argument` put behind the word `command`. Errors: kIo.
Result<std::vector<std::string>> OwnCommand(const std::string& command, const std::string& argument);

}  // namespace rf::server
