#include "app/chat/line_reader.h"

#include <histedit.h>
#include <langinfo.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <filesystem>
#include <string_view>
#include <utility>

#include "app/interrupt.h"
#include "app/style.h"
#include "base/log.h"

namespace rf::app {
namespace {

constexpr int kHistoryLines = 1000;

// A signal that comes just before the wait for a key does not end it, so the wait looks up this often.
constexpr int kLookUpMs = 100;

// Coming back after Ctrl-Z, or a new window size: the line is shown anew.
volatile std::sig_atomic_t g_must_redraw = 0;

void OnRedraw(int) {
  g_must_redraw = 1;
}

void InstallEditorSignals() {
  CatchSignal(SIGWINCH, OnRedraw);
  CatchSignal(SIGCONT, OnRedraw);
  CatchSignal(SIGTSTP, OnEndingSignal);
}

void RemoveEditorSignals() {
  for (const int signal : {SIGWINCH, SIGCONT, SIGTSTP}) std::signal(signal, SIG_DFL);
}

// Characters beyond ASCII can be typed whatever LANG says, if the terminal sends UTF-8.
void UseUtf8() {
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
}

// Waits for a byte. False with errno EINTR: there is something else to do.
bool WaitForByte() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  while (!InterruptScope::interrupted() && g_must_redraw == 0) {
    const int n = poll(&input, 1, kLookUpMs);
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
  }
  errno = EINTR;
  return false;
}

// How the editor reads a character: 1 for one, 0 at the end, -1 with errno. Bytes that are no character are passed
// over.
int ReadCharacter(EditLine*, wchar_t* character) {
  std::mbstate_t state{};
  while (WaitForByte()) {
    char byte = 0;
    const ssize_t n = read(STDIN_FILENO, &byte, 1);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return static_cast<int>(n);
    const size_t used = std::mbrtowc(character, &byte, 1, &state);
    if (used <= 1) return 1;
    if (used == static_cast<size_t>(-1)) state = {};
  }
  return -1;
}

bool CanEdit() {
  const char* term = std::getenv("TERM");
  return term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

}  // namespace

struct LineReader::Editor {
  EditLine* line = nullptr;
  History* history = nullptr;
  HistEvent event{};
  std::string history_path;
  std::string prompt;

  static char* PromptOf(EditLine* line) {
    void* self = nullptr;
    el_get(line, EL_CLIENTDATA, &self);
    return static_cast<Editor*>(self)->prompt.data();
  }

  // The prompt goes where a person sees it.
  Editor() {
    UseUtf8();
    line = el_init("rocmforge", stdin, IsTerminal(stdout) ? stdout : stderr, stderr);
    history = history_init();
    history_w_setup();
    el_set(line, EL_CLIENTDATA, this);
    el_set(line, EL_PROMPT, PromptOf);
    el_set(line, EL_HIST, ::history, history);
    el_set(line, EL_GETCFN, ReadCharacter);
    el_set(line, EL_EDITOR, "emacs");
    el_set(line, EL_SIGNAL, 0);  // its own way sends every signal to the whole process group
    el_set(line, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    if (!CanEdit()) el_set(line, EL_EDITMODE, 0);
  }

  ~Editor() {
    el_end(line);
    history_end(history);
  }

  void history_w_setup() {
    ::history(history, &event, H_SETSIZE, kHistoryLines);
    ::history(history, &event, H_SETUNIQUE, 1);
  }

  // What had been typed when the wait for a key ended.
  std::string Typed() const {
    const LineInfo* info = el_line(line);
    return {info->buffer, static_cast<size_t>(info->lastchar - info->buffer)};
  }
};

LineReader::LineReader(std::string history_path) : editor_(std::make_unique<Editor>()) {
  editor_->history_path = std::move(history_path);
  if (!editor_->history_path.empty()) {
    ::history(editor_->history, &editor_->event, H_LOAD, editor_->history_path.c_str());
  }
}

LineReader::~LineReader() = default;

Line LineReader::Read(const std::string& prompt) {
  editor_->prompt = prompt;
  while (true) {
    InstallEditorSignals();
    int n = 0;
    errno = 0;
    const char* text = el_gets(editor_->line, &n);
    const int error = errno;
    RemoveEditorSignals();
    if (text != nullptr && n > 0) {
      std::string line(text, static_cast<size_t>(n));
      while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
      return {LineEvent::kLine, std::move(line)};
    }
    const std::string typed = editor_->Typed();
    if (InterruptScope::interrupted()) return {LineEvent::kInterrupted, typed};
    if (n == 0 || error != EINTR) return {LineEvent::kEnd, ""};
    g_must_redraw = 0;
    el_resize(editor_->line);
    if (!typed.empty()) el_push(editor_->line, typed.c_str());  // typed anew by the editor
  }
}

void LineReader::Remember(const std::string& line) {
  if (line.find_first_not_of(" \t") == std::string::npos) return;
  ::history(editor_->history, &editor_->event, H_ENTER, line.c_str());
  if (!editor_->history_path.empty()) {
    ::history(editor_->history, &editor_->event, H_SAVE, editor_->history_path.c_str());
  }
}

std::string HistoryPath() {
  namespace fs = std::filesystem;
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  fs::path dir;
  if (state != nullptr && *state == '/') {
    dir = state;
  } else if (home != nullptr && *home != '\0') {
    dir = fs::path(home) / ".local" / "state";
  } else {
    Log(LogLevel::kWarning, "HOME is not set: this chat's lines are not kept for the next one");
    return "";
  }
  dir /= "rocmforge";
  std::error_code error;
  fs::create_directories(dir, error);
  if (error || access(dir.c_str(), W_OK) != 0) {
    Log(LogLevel::kWarning, dir.string() + ": cannot be written: this chat's lines are not kept for the next one");
    return "";
  }
  return (dir / "history").string();
}

}  // namespace rf::app
