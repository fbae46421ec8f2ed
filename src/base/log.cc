#include "base/log.h"

#include <utility>

namespace rf {
namespace {

LogSink& Sink() {
  static LogSink sink;
  return sink;
}

}  // namespace

void SetLogSink(LogSink sink) {
  Sink() = std::move(sink);
}

void Log(LogLevel level, std::string_view line) {
  if (Sink()) Sink()(level, line);
}

}  // namespace rf
