#include "app/interrupt.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "app/exit_code.h"

namespace rf::app {
namespace {

constexpr int kMaxUnseen = 3;

// All that the handlers touch: lock-free atomics, and a terminal state that is written before `has_terminal` is set.
std::atomic<bool> g_is_scope_open{false};
std::atomic<int> g_n_interrupts{0};
std::atomic<bool> g_has_terminal{false};
termios g_terminal;

static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void OnInterrupt(int) {
  if (g_is_scope_open.load() && g_n_interrupts.fetch_add(1) + 1 < kMaxUnseen) return;
  RestoreTerminal();
  _exit(kExitInterrupted);
}

void InstallUnlessIgnored(int signal, void (*handler)(int)) {
  struct sigaction old {};
  if (sigaction(signal, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) return;
  CatchSignal(signal, handler);
}

}  // namespace

void CatchSignal(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_NODEFER;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

void OnEndingSignal(int signal) {
  RestoreTerminal();
  std::signal(signal, SIG_DFL);
  raise(signal);
}

void ReserveStandardStreams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) != -1) continue;
    // The lowest free descriptor is this one. Opened for the wrong direction: using it must not look like success.
    if (open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
  }
}

void InstallSignalHandlers() {
  std::signal(SIGPIPE, SIG_IGN);
  InstallUnlessIgnored(SIGINT, OnInterrupt);
  InstallUnlessIgnored(SIGTERM, OnEndingSignal);
  InstallUnlessIgnored(SIGHUP, OnEndingSignal);
}

void SaveTerminal() {
  if (tcgetattr(STDIN_FILENO, &g_terminal) != 0) return;
  g_has_terminal.store(true);
  CatchSignal(SIGINT, OnInterrupt);
}

void RestoreTerminal() {
  if (g_has_terminal.load()) tcsetattr(STDIN_FILENO, TCSANOW, &g_terminal);
}

InterruptScope::InterruptScope() {
  Clear();
  g_is_scope_open.store(true);
}

InterruptScope::~InterruptScope() {
  g_is_scope_open.store(false);
}

bool InterruptScope::interrupted() {
  return g_n_interrupts.load() > 0;
}

void InterruptScope::Clear() {
  g_n_interrupts.store(0);
}

}  // namespace rf::app
