// RF_IF_<family>(code): the code, if this program is compiled for that family of processors, else nothing. What the
// lines of isa.def are made of.
#pragma once

#define RF_IF_any(...) __VA_ARGS__
#if defined(__x86_64__)
#define RF_IF_x86(...) __VA_ARGS__
#else
#define RF_IF_x86(...)
#endif
#if defined(__aarch64__)
#define RF_IF_arm(...) __VA_ARGS__
#else
#define RF_IF_arm(...)
#endif
