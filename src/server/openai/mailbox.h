// Hands values from any thread to a coroutine on the event loop.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace rf::server {

/// Holds one T that writers add to and one reader empties. Writers never wait for the reader. The event loop's context
/// must outlive it.
template <typename T>
class Mailbox : public std::enable_shared_from_this<Mailbox<T>> {
 public:
  explicit Mailbox(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  /// From any thread: `change(T&)` under the lock, then the reader is woken.
  template <typename Change>
  void Update(Change change) {
    {
      const std::lock_guard lock(mutex_);
      change(value_);
      if (std::exchange(is_full_, true)) return;
    }
    boost::asio::post(timer_.get_executor(), [self = this->shared_from_this()] { self->timer_.cancel(); });
  }

  /// On the event loop, by one coroutine at a time: the value as soon as there is one, leaving an empty T; nothing at
  /// the deadline.
  boost::asio::awaitable<std::optional<T>> Take(std::chrono::steady_clock::time_point deadline) {
    for (;;) {
      if (auto value = TakeNow()) co_return value;
      if (std::chrono::steady_clock::now() >= deadline) co_return std::nullopt;
      timer_.expires_at(deadline);
      boost::system::error_code woken;
      co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
  }

 private:
  std::optional<T> TakeNow() {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(is_full_, false)) return std::nullopt;
    return std::exchange(value_, T{});
  }

  boost::asio::steady_timer timer_;  // the event loop's
  std::mutex mutex_;                 // guards what follows
  T value_{};
  bool is_full_ = false;
};

}  // namespace rf::server
