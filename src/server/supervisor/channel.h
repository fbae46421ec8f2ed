// The socket between a supervisor and its worker process: short messages, some of which carry a connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace rf::server {

enum class MessageKind : uint32_t {
  kConnection = 1,  ///< to the worker, with a descriptor: a client's request comes on it
  kReady,           ///< to the supervisor: the model is loaded
  kFailed,          ///< to the supervisor, the last one: it cannot be loaded
  kLost,            ///< to the supervisor, the last one: the device failed
};

struct ChannelMessage {
  MessageKind kind = MessageKind::kReady;
  uint64_t tag = 0;                       ///< of a connection
  ErrorCode code = ErrorCode::kInternal;  ///< of kFailed and kLost
  std::string text;                       ///< the error's message; at most kMaxChannelText bytes arrive
  int descriptor = -1;                    ///< of a connection; the receiver owns it

  static ChannelMessage Of(MessageKind kind, const Error& error) { return {kind, 0, error.code, error.ToString(), -1}; }
};

inline constexpr size_t kMaxChannelText = 500;

/// Makes a connected pair of sockets, closed on exec. `type` is SOCK_STREAM or SOCK_SEQPACKET. Errors: kIo.
Status MakeSocketPair(int type, int (&sockets)[2]);

/// Never waits. Errors: kBusy if the other side does not read, kIo if it is gone.
Status SendMessage(int socket, const ChannelMessage& message);

/// Never waits: nothing if no message is there, kIo when the other side is gone. What is no message of ours is an error
/// too: the other side has gone mad.
Result<std::optional<ChannelMessage>> ReceiveMessage(int socket);

}  // namespace rf::server
