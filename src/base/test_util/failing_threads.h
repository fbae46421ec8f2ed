// Lets the start of threads fail, as it does where the system's limit is reached.
#pragma once

namespace rf {

/// While it lives, `n_allowed` more threads can be started in this process; the next ones get EAGAIN. One at a time.
class FailingThreads {
 public:
  explicit FailingThreads(int n_allowed);
  ~FailingThreads();
  FailingThreads(const FailingThreads&) = delete;
  FailingThreads& operator=(const FailingThreads&) = delete;
};

}  // namespace rf
