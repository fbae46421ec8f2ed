// A client on a plain socket, for tests that send what no HTTP library would.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace rf::server::test_util {

/// One HTTP response as it was read.
struct RawResponse {
  int status = 0;  ///< 0: none came
  std::string head;
  std::string body;
};

class RawClient {
 public:
  /// Connects to 127.0.0.1. `receive_buffer`: bytes that the system may hold for a client that does not read.
  explicit RawClient(uint16_t port, int receive_buffer = 0) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) Close();
  }
  ~RawClient() { Close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool is_connected() const { return fd_ >= 0; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  void FinishSending() { shutdown(fd_, SHUT_WR); }

  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  /// Reads until `mark` is in what was read, or the end, or the time is over. Whether the mark came.
  bool ReadUntil(std::string_view mark, int timeout_ms = 5000) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (read_.find(mark) == std::string::npos) {
      if (!ReadSome(deadline)) return false;
    }
    return true;
  }

  /// Everything until the server closes. REQUIRES: it does so within the time; otherwise ended() stays false.
  std::string ReadAll(int timeout_ms = 10000) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (ReadSome(deadline)) {
    }
    return std::exchange(read_, {});
  }

  /// The next response; its body by Content-Length, or decoded from chunks.
  RawResponse ReadResponse(bool is_head_request = false, int timeout_ms = 10000) {
    RawResponse response;
    if (!ReadUntil("\r\n\r\n", timeout_ms)) return response;
    const size_t head_end = read_.find("\r\n\r\n") + 4;
    response.head = read_.substr(0, head_end);
    read_.erase(0, head_end);
    response.status = std::stoi(response.head.substr(9, 3));
    if (response.status == 100) return response;
    if (const std::string length = Header(response, "Content-Length"); !length.empty() && !is_head_request) {
      response.body = ReadBytes(std::stoul(length), timeout_ms);
    } else if (Header(response, "Transfer-Encoding") == "chunked") {
      response.body = ReadChunks(timeout_ms);
    }
    return response;
  }

  static std::string Header(const RawResponse& response, const std::string& name) {
    const size_t begin = response.head.find("\r\n" + name + ": ");
    if (begin == std::string::npos) return "";
    const size_t value = begin + name.size() + 4;
    return response.head.substr(value, response.head.find("\r\n", value) - value);
  }

  /// Whether the server closed the connection.
  bool ended() const { return ended_; }
  const std::string& unread() const { return read_; }

 private:
  bool ReadSome(std::chrono::steady_clock::time_point deadline) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd event{fd_, POLLIN, 0};
    if (ended_ || fd_ < 0 || left.count() <= 0 || poll(&event, 1, static_cast<int>(left.count())) <= 0) return false;
    char bytes[4096];
    const ssize_t n = recv(fd_, bytes, sizeof(bytes), 0);
    ended_ = n <= 0;
    if (n > 0) read_.append(bytes, static_cast<size_t>(n));
    return n > 0;
  }

  std::string ReadBytes(size_t n, int timeout_ms) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (read_.size() < n && ReadSome(deadline)) {
    }
    std::string bytes = read_.substr(0, n);
    read_.erase(0, n);
    return bytes;
  }

  std::string ReadChunks(int timeout_ms) {
    std::string body;
    while (ReadUntil("\r\n", timeout_ms)) {
      const size_t size = std::stoul(read_.substr(0, read_.find("\r\n")), nullptr, 16);
      read_.erase(0, read_.find("\r\n") + 2);
      body += ReadBytes(size, timeout_ms);
      ReadBytes(2, timeout_ms);
      if (size == 0) break;
    }
    return body;
  }

  int fd_;
  bool ended_ = false;
  std::string read_;
};

}  // namespace rf::server::test_util
