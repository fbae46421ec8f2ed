#include "app/generate/lines.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <iostream>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "app/generate/jobs.h"
#include "app/generate/sampling_fields.h"
#include "app/input.h"
#include "app/token_list.h"
#include "base/utf8.h"

namespace rf::app {
namespace {

using nlohmann::ordered_json;

// A line that was read: its answer, or the error that it became.
struct Line {
  int number = 0;
  ordered_json id;  // null: none
  std::shared_ptr<Generation> generation;
  std::optional<Error> error;

  bool IsDone() const { return error.has_value() || generation->is_finished; }
};

Error BadField(const char* key, const char* wanted) {
  return Error{ErrorCode::kInvalidArgument, fmt::format("must be {}", wanted), key};
}

// Replaces `value` by the line's, if it has one.
Status ReadInt(const ordered_json& line, const char* key, int32_t& value) {
  if (!line.contains(key)) return {};
  constexpr int32_t kMax = std::numeric_limits<int32_t>::max();
  const ordered_json& field = line[key];
  if (!field.is_number_integer() || (field.is_number_unsigned() && field.get<uint64_t>() > kMax) ||
      field.get<int64_t>() < 0) {
    return BadField(key, "a whole number in 0..2147483647");
  }
  value = field.get<int32_t>();
  return {};
}

// All that a line may say. Anything else is probably a slip of the pen, which should not be found out by its missing
// effect.
bool IsKnownField(std::string_view key) {
  constexpr std::string_view kOthers[] = {"id", "prompt", "tokens", "messages", "n", "json_schema", "grammar", "regex"};
  return std::find(std::begin(kOthers), std::end(kOthers), key) != std::end(kOthers) || IsSamplingField(key);
}

Status CheckFields(const ordered_json& line) {
  for (const auto& [key, value] : line.items()) {
    if (!IsKnownField(key)) return Error{ErrorCode::kInvalidArgument, "unknown field", EscapeForMessage(key, 60)};
  }
  return {};
}

Status ReadFields(const ordered_json& line, GenerationJob& job) {
  RF_RETURN_IF_ERROR(ReadInt(line, "n", job.max_tokens));
  return ReadSamplingFields(line, job.sampling);
}

// A line's own grammar replaces that of the flags.
Status ReadGrammarField(const ModelSession& session, const ordered_json& line, GenerationJob& job) {
  using grammar::GrammarKind;
  for (const auto& [key, kind] : {std::pair{"json_schema", GrammarKind::kJsonSchema},
                                  {"grammar", GrammarKind::kGbnf},
                                  {"regex", GrammarKind::kRegex}}) {
    if (!line.contains(key)) continue;
    const bool is_schema = kind == GrammarKind::kJsonSchema;
    if (!is_schema && !line[key].is_string()) return BadField(key, "a string");
    auto compiled = session.grammars->Get({kind, is_schema ? line[key].dump() : line[key].get<std::string>()});
    if (!compiled) {
      Error error = std::move(compiled).error();
      error.where = error.where.empty() ? key : fmt::format("{}: {}", key, error.where);
      return error;
    }
    job.grammar = std::move(*compiled);
  }
  return {};
}

Result<GenerationJob> PromptOfLine(const ModelSession& session, const GenerateOptions& options,
                                   const ordered_json& line) {
  if (line.contains("prompt") + line.contains("tokens") + line.contains("messages") != 1) {
    return Error{ErrorCode::kInvalidArgument, "needs one of 'prompt', 'tokens' and 'messages'", ""};
  }
  if (line.contains("messages")) return JobOfMessages(session, options, line["messages"]);
  if (line.contains("tokens")) {
    RF_ASSIGN_OR_RETURN(auto tokens, TokensFromJson(line["tokens"], *session.tokenizer, "tokens"));
    return JobOfTokens(options, std::move(tokens));
  }
  if (!line["prompt"].is_string()) return BadField("prompt", "a string");
  return JobOfText(session, options, line["prompt"].get<std::string>());
}

// Reads, runs and prints, keeping no more lines in memory than it takes to keep the engine busy.
class LineRunner {
 public:
  LineRunner(ModelSession& session, const GenerateOptions& options) : session_(session), options_(options) {}

  Status Run() {
    std::string text;
    while (std::getline(std::cin, text)) {
      ++number_;
      if (text.empty()) continue;
      RF_RETURN_IF_ERROR(Start(text));
      while (CountRunning() >= MaxRunning()) RF_RETURN_IF_ERROR(Step());
    }
    if (std::cin.bad() || std::ferror(stdin) != 0) return Error{ErrorCode::kIo, "cannot read", "standard input"};
    while (CountRunning() > 0) RF_RETURN_IF_ERROR(Step());
    if (n_failed_ > 0) fmt::print(stderr, "{} of {} lines failed\n", n_failed_, n_printed_);
    return {};
  }

 private:
  // So many that the next one is there when one ends.
  size_t MaxRunning() const { return 2 * static_cast<size_t>(options_.parallel); }

  size_t CountRunning() const {
    size_t n_running = 0;
    for (const Line& line : lines_) n_running += !line.IsDone();
    return n_running;
  }

  Status Start(const std::string& text) {
    Line line;
    line.number = number_;
    auto job = ReadJob(text, line);
    if (job) {
      RF_RETURN_IF_ERROR(Submit(*job, line));
    } else {
      line.error = job.error();
    }
    lines_.push_back(std::move(line));
    PrintDone();
    return {};
  }

  Result<GenerationJob> ReadJob(const std::string& text, Line& line) {
    RF_ASSIGN_OR_RETURN(const ordered_json object, ParseJson(text, ""));
    if (!object.is_object()) return Error{ErrorCode::kInvalidArgument, "must be a JSON object", ""};
    line.id = object.value("id", ordered_json());
    RF_RETURN_IF_ERROR(CheckFields(object));
    RF_ASSIGN_OR_RETURN(GenerationJob job, PromptOfLine(session_, options_, object));
    RF_RETURN_IF_ERROR(ReadFields(object, job));
    RF_RETURN_IF_ERROR(ReadGrammarField(session_, object, job));
    return job;
  }

  // A full queue empties by stepping; any other refusal is the line's own error.
  Status Submit(const GenerationJob& job, Line& line) {
    line.generation = std::make_shared<Generation>(*session_.tokenizer, job);
    for (;;) {
      auto id = session_.engine->Submit(MakeRequest(session_, job, line.generation, {}));
      if (id) return {};
      if (id.error().code != ErrorCode::kBusy || CountRunning() == 0) {
        line.error = id.error();
        return {};
      }
      RF_RETURN_IF_ERROR(Step());
    }
  }

  // An error of a step has ended the requests that were in it, and is printed with them; if it ended none, no further
  // step can help.
  Status Step() {
    const size_t n_before = CountRunning();
    const Status status = session_.engine->Step();
    if (!status && CountRunning() == n_before) return status;
    PrintDone();
    if (std::ferror(stdout) != 0) return Error{ErrorCode::kIo, "cannot write to standard output", ""};
    return {};
  }

  void PrintDone() {
    while (!lines_.empty() && lines_.front().IsDone()) {
      Line& line = lines_.front();
      if (line.generation && line.generation->result.error) line.error = line.generation->result.error;
      ordered_json object;
      if (line.error) object["line"] = line.number;
      if (!line.id.is_null()) object["id"] = line.id;
      if (line.error) {
        object["error"] = line.error->ToString();
      } else {
        object.update(ToJson(*line.generation));
      }
      n_failed_ += line.error.has_value();
      ++n_printed_;
      PrintJson(object);
      lines_.pop_front();
    }
  }

  ModelSession& session_;
  const GenerateOptions& options_;
  std::deque<Line> lines_;  // started and not printed, in the order of the input
  int number_ = 0;
  int n_printed_ = 0;
  int n_failed_ = 0;
};

}  // namespace

Status GenerateLines(ModelSession& session, const GenerateOptions& options) {
  return LineRunner(session, options).Run();
}

}  // namespace rf::app
