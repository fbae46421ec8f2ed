// Log lines go to an injected sink; nothing below app/ prints.
#pragma once

#include <functional>
#include <string_view>

namespace rf {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// Called with whole lines, without a newline, possibly from several threads at once.
using LogSink = std::function<void(LogLevel, std::string_view)>;

/// Installs the sink of the process; an empty one (the start state) drops every line. Call before other threads log.
void SetLogSink(LogSink sink);

/// Sends one line to the sink.
void Log(LogLevel level, std::string_view line);

}  // namespace rf
