// Ctrl-C and the other signals that end a program, with the terminal left as it was found.
#pragma once

namespace rf::app {

/// Gives descriptors 0, 1 and 2 something to refer to where they are closed, so that no file opened later takes their
/// place. Reading or writing them still fails.
void ReserveStandardStreams();

/// From here on Ctrl-C ends the program at once with exit code 130, unless an InterruptScope is open. A signal that the
/// parent process ignores stays ignored. SIGTERM and SIGHUP end it as they always do. All of them restore the terminal
/// first, if SaveTerminal() was called. Call once, before threads are started.
void InstallSignalHandlers();

/// Calls `handler` when the signal comes. System calls that wait return EINTR. The signal is not held back while it is
/// handled, so that a handler may raise it again.
void CatchSignal(int signal, void (*handler)(int));
/// A handler: restores the terminal, then does what the signal does by default.
void OnEndingSignal(int signal);

/// Keeps the present state of the terminal on standard input, if it is one, for whatever ends the program. From then on
/// Ctrl-C is caught even if the parent process ignores it.
void SaveTerminal();
/// Puts it back. Does nothing without SaveTerminal().
void RestoreTerminal();

/// While it lives, Ctrl-C is noted instead of ending the program (system calls that wait return EINTR). The third one
/// that nobody has looked at ends it all the same: whoever should look is stuck. One at a time.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;

  /// Whether Ctrl-C came since the last Clear().
  static bool interrupted();
  static void Clear();
};

}  // namespace rf::app
