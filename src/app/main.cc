// rocmforge: one binary, one subcommand for each file of commands/.
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <string_view>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "app/commands/command.h"
#include "app/exit_code.h"
#include "app/interrupt.h"
#include "app/nearest.h"
#include "base/check.h"
#include "base/log.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

constexpr size_t kMaxMessageBytes = 280;

void LogToStderr(LogLevel level, std::string_view line) {
  if (level == LogLevel::kDebug) return;
  const char* prefix = level == LogLevel::kWarning ? "warning: " : level == LogLevel::kError ? "error: " : "";
  std::fprintf(stderr, "%s%.*s\n", prefix, static_cast<int>(line.size()), line.data());
}

void Configure(CLI::App& root) {
  root.set_version_flag("--version", RF_VERSION);
  root.require_subcommand(1);
  root.footer(
      "Start with:\n"
      "  rocmforge pull smollm2                     fetch a small model\n"
      "  rocmforge run smollm2 \"Why is the sky blue?\"\n"
      "  rocmforge run smollm2                      chat in the terminal\n"
      "  rocmforge serve smollm2                    an OpenAI-compatible server\n"
      "MODEL is a GGUF file or a name that `rocmforge models` lists.\n"
      "Exit codes: 0 ok, 2 usage, 3 bad model file, 4 device, 5 not enough memory, 6 I/O or network.");
}

// Untrusted words may be in it: one line, no control characters, not too long.
std::string OneLine(std::string_view text) {
  std::string line = ReplaceInvalidUtf8(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (line.size() <= kMaxMessageBytes) return line;
  line.resize(kMaxMessageBytes);
  line.resize(ValidUtf8Prefix(line));
  return line + "...";
}

int Finish(const Status& status) {
  int code = 0;
  if (!status) {
    std::fprintf(stderr, "rocmforge: %s\n", OneLine(status.error().ToString()).c_str());
    code = ExitCode(status.error());
  }
  // A full disk or a closed pipe must not look like success.
  std::cout.flush();
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !std::cout) {
    if (code == 0) {
      std::fprintf(stderr, "rocmforge: cannot write to standard output\n");
      code = ExitCode(Error{ErrorCode::kIo, "", ""});
    }
  }
  return code;
}

// Says what was wrong with the command line, and what was probably meant.
int ReportUsage(const CLI::App& root, const CLI::ParseError& error, int argc, char** argv) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {  // --help, --version
    root.exit(error);
    return Finish({});
  }
  std::fprintf(stderr, "rocmforge: %s\n", OneLine(error.what()).c_str());
  const std::string hint = NearestName(root, argc, argv);
  if (!hint.empty()) std::fprintf(stderr, "Did you mean '%s'?\n", hint.c_str());
  std::fprintf(stderr, "Run 'rocmforge --help' or 'rocmforge COMMAND --help' for what is accepted.\n");
  return kExitUsage;
}

// llama.cpp's name of --gpu-layers, which to the parser is three flags of one letter.
void ReplaceLongNameWithOneDash(int argc, char** argv) {
  static char gpu_layers[] = "--gpu-layers";
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "-ngl") argv[i] = gpu_layers;
  }
}

int Main(int argc, char** argv) {
  ReplaceLongNameWithOneDash(argc, argv);
  ReserveStandardStreams();
  InstallSignalHandlers();
  SetLogSink(LogToStderr);
  CLI::App root{"ROCmForge runs GGUF language models on AMD GPUs and on CPUs.", "rocmforge"};
  Configure(root);
  CommandWork chosen;
#define RF_COMMAND(Name) Add##Name##Command(root, chosen);
#include "app/commands/commands.def"
#undef RF_COMMAND
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ReportUsage(root, error, argc, argv);
  }
  return Finish(chosen());
}

}  // namespace
}  // namespace rf::app

int main(int argc, char** argv) {
  try {
    return rf::app::Main(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "rocmforge: not enough memory\n");
    return 5;
  } catch (const rf::BugError& bug) {
    std::fprintf(stderr, "rocmforge: internal error, please report it: %s\n", bug.what());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rocmforge: internal error, please report it: %s\n", error.what());
  }
  return rf::app::kExitBug;
}
