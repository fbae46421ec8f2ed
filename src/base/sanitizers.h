// Which sanitizers this is compiled with; GCC and Clang tell it differently. For code that a sanitizer makes slow or
// replaces.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define RF_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define RF_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RF_ASAN 1
#elif __has_feature(thread_sanitizer)
#define RF_TSAN 1
#endif
#endif

#ifndef RF_ASAN
#define RF_ASAN 0
#endif
#ifndef RF_TSAN
#define RF_TSAN 0
#endif

namespace rf {

/// Everything takes several times as long as in a build for use.
inline constexpr bool kIsSanitized = RF_ASAN || RF_TSAN;

}  // namespace rf
