#include "base/test_util/failing_threads.h"

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <climits>

namespace {

std::atomic<int> n_left{INT_MAX};

}  // namespace

// Stands before the C library's, which std::thread calls.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                              void* argument) {
  static const auto real = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
  if (n_left.fetch_sub(1) <= 0) return EAGAIN;
  return real(thread, attributes, start, argument);
}

namespace rf {

FailingThreads::FailingThreads(int n_allowed) {
  n_left = n_allowed;
}
FailingThreads::~FailingThreads() {
  n_left = INT_MAX;
}

}  // namespace rf
