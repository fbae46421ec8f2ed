#include "server/supervisor/channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "base/utf8.h"

namespace rf::server {
namespace {

// As it goes over the socket, followed by the text.
struct WireHead {
  uint32_t kind;
  uint32_t code;
  uint64_t tag;
};

using WireBytes = std::array<char, sizeof(WireHead) + kMaxChannelText>;

struct alignas(cmsghdr) ControlBytes {
  char bytes[CMSG_SPACE(sizeof(int))];
};

Error ChannelError(const char* what) {
  const ErrorCode code = errno == EAGAIN || errno == EWOULDBLOCK ? ErrorCode::kBusy : ErrorCode::kIo;
  return {code, fmt::format("the channel to the other process: {}: {}", what, strerror(errno)), ""};
}

Error Gone(const char* why) {
  return {ErrorCode::kIo, why, ""};
}

int TakeDescriptor(const msghdr& header) {
  int descriptor = -1;
  const cmsghdr* control = CMSG_FIRSTHDR(&header);
  if (control != nullptr && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS &&
      control->cmsg_len == CMSG_LEN(sizeof(int))) {
    std::memcpy(&descriptor, CMSG_DATA(control), sizeof(int));
  }
  return descriptor;
}

Result<std::optional<ChannelMessage>> Decode(const WireBytes& bytes, size_t n_bytes, int descriptor) {
  WireHead head{};
  if (n_bytes >= sizeof(head)) std::memcpy(&head, bytes.data(), sizeof(head));
  const bool is_known = head.kind >= static_cast<uint32_t>(MessageKind::kConnection) &&
                        head.kind <= static_cast<uint32_t>(MessageKind::kLost) &&
                        head.code <= static_cast<uint32_t>(ErrorCode::kInternal);
  const bool has_connection = head.kind == static_cast<uint32_t>(MessageKind::kConnection);
  if (!is_known || has_connection != (descriptor >= 0)) {
    if (descriptor >= 0) close(descriptor);
    return Gone("a message of no known kind came");
  }
  ChannelMessage message;
  message.kind = static_cast<MessageKind>(head.kind);
  message.code = static_cast<ErrorCode>(head.code);
  message.tag = head.tag;
  message.text = ReplaceInvalidUtf8({bytes.data() + sizeof(head), n_bytes - sizeof(head)});
  message.descriptor = descriptor;
  return std::optional<ChannelMessage>(std::move(message));
}

}  // namespace

Status MakeSocketPair(int type, int (&sockets)[2]) {
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, sockets) == 0) return {};
  return Error{ErrorCode::kIo, fmt::format("cannot make a pair of sockets: {}", strerror(errno)), ""};
}

Status SendMessage(int socket, const ChannelMessage& message) {
  WireBytes bytes;
  const WireHead head{static_cast<uint32_t>(message.kind), static_cast<uint32_t>(message.code), message.tag};
  const size_t n_text = std::min(message.text.size(), kMaxChannelText);
  std::memcpy(bytes.data(), &head, sizeof(head));
  std::memcpy(bytes.data() + sizeof(head), message.text.data(), n_text);
  iovec part{bytes.data(), sizeof(head) + n_text};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  ControlBytes control{};
  if (message.descriptor >= 0) {
    header.msg_control = control.bytes;
    header.msg_controllen = sizeof(control.bytes);
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &message.descriptor, sizeof(int));
  }
  if (sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return {};
  return ChannelError("sending");
}

Result<std::optional<ChannelMessage>> ReceiveMessage(int socket) {
  WireBytes bytes;
  iovec part{bytes.data(), bytes.size()};
  ControlBytes control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof(control.bytes);
  const ssize_t n_bytes = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n_bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    return std::optional<ChannelMessage>();
  }
  if (n_bytes < 0) return ChannelError("receiving");
  if (n_bytes == 0) return Gone("the other process is gone");
  return Decode(bytes, static_cast<size_t>(n_bytes), TakeDescriptor(header));
}

}  // namespace rf::server
