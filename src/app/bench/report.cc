#include "app/bench/report.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace rf::app {
namespace {

using nlohmann::ordered_json;

// Of all devices, "cpu+hip:0".
struct DeviceNames {
  std::string labels;
  std::string isa;
  int n_threads = 0;
};

DeviceNames NamesOf(const ModelSession& session) {
  DeviceNames names;
  for (const PartInfo& part : session.parts) {
    const char* plus = names.labels.empty() ? "" : "+";
    names.labels += plus + part.device.Label();
    names.isa += plus + part.device.isa;
    names.n_threads = std::max(names.n_threads, part.device.n_threads);
  }
  return names;
}

void AddPeak(const BenchResult& result, const Floor& floor, ordered_json& row) {
  if (const double percent = PercentOfPeak(result, floor); percent > 0.0) {
    row["pct_peak"] = percent;
    row["peak"] = floor.peak;
    row["peak_of"] = floor.peak_of;
    row["operations_per_token"] = floor.bytes.operations;
  } else {
    row["pct_peak_reason"] =
        floor.peak > 0.0 ? "decoding is bound by memory" : "the peak arithmetic rate of this device is not known";
  }
}

// What took longest first.
std::vector<std::pair<Profile::Key, ProfileEntry>> Sorted(const Profile& profile) {
  std::vector<std::pair<Profile::Key, ProfileEntry>> entries(profile.entries().begin(), profile.entries().end());
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  return entries;
}

double SecondsOf(const Profile& profile) {
  double seconds = 0.0;
  for (const auto& [key, entry] : profile.entries()) seconds += entry.seconds;
  return seconds;
}

ordered_json ProfileToJson(const Profile& profile, const Floor& floor) {
  auto rows = ordered_json::array();
  const double all_seconds = SecondsOf(profile);
  for (const auto& [key, entry] : Sorted(profile)) {
    const auto& [device, op, kernel] = key;
    rows.push_back({{"device", device},
                    {"op", op},
                    {"kernel", kernel},
                    {"calls", entry.n_calls},
                    {"seconds", entry.seconds},
                    {"pct_time", 100.0 * entry.seconds / all_seconds},
                    {"bytes", entry.work.bytes},
                    {"operations", entry.work.operations},
                    {"pct_roofline", nullptr}});
    const double percent = PercentOfRoofline(entry.work, entry.seconds, floor);
    if (percent > 0.0) rows.back()["pct_roofline"] = percent;
  }
  return rows;
}

constexpr std::string_view kCsvFields[] = {
    "model",   "test",    "avg_ts", "stddev_ts", "n_prompt",        "n_gen",         "n_depth",
    "n_batch", "threads", "device", "isa",       "bytes_per_token", "pct_bandwidth", "pct_peak"};

// RFC 4180: quoted, quotes doubled, where the text has a comma, a quote or a line's end.
std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted.append(letter == '"' ? 2 : 1, letter);
  return quoted + "\"";
}

}  // namespace

std::string NameOf(const BenchTest& test) {
  std::string name;
  if (test.n_prompt > 0) name = fmt::format("pp{}", test.n_prompt);
  if (test.n_gen > 0) name += fmt::format("{}tg{}", name.empty() ? "" : "+", test.n_gen);
  if (test.n_depth > 0) name += fmt::format(" @ d{}", test.n_depth);
  if (test.n_batch > 1) name += fmt::format(" x {}", test.n_batch);
  return name;
}

ordered_json BenchToJson(const BenchResult& result, const Floor& floor, const ModelSession& session) {
  const DeviceNames device = NamesOf(session);
  ordered_json row = {{"test", NameOf(result.test)},
                      {"avg_ts", result.mean},
                      {"stddev_ts", result.stddev},
                      {"n_prompt", result.test.n_prompt},
                      {"n_gen", result.test.n_gen},
                      {"n_depth", result.test.n_depth},
                      {"n_batch", result.test.n_batch},
                      {"threads", device.n_threads},
                      {"device", device.labels},
                      {"isa", device.isa},
                      {"bytes_per_token", BytesPerToken(result.test, floor)},
                      {"pct_bandwidth", nullptr},
                      {"pct_peak", nullptr},
                      {"samples_ts", result.samples},
                      {"model", session.name}};
  if (const double percent = PercentOfBandwidth(result, floor); percent > 0.0) {
    row["pct_bandwidth"] = percent;
    row[floor.bandwidth_of + "_bandwidth"] = floor.bandwidth;
  } else {
    row["pct_bandwidth_reason"] = floor.no_bandwidth;
  }
  AddPeak(result, floor, row);
  if (!result.profile.entries().empty()) row["profile"] = ProfileToJson(result.profile, floor);
  return row;
}

std::string BenchCsvHeader() {
  return fmt::format("{}\n", fmt::join(kCsvFields, ","));
}

std::string BenchCsvLine(const ordered_json& row) {
  std::string line;
  for (const std::string_view field : kCsvFields) {
    const ordered_json& value = row.at(std::string(field));
    if (!line.empty()) line += ',';
    if (value.is_string()) line += CsvField(value.get<std::string>());
    if (value.is_number()) line += value.dump();
  }
  return line + "\n";
}

void PrintBenchHeader(size_t name_width) {
  fmt::print("| {:<{}} | {:>10} | {:>9} | {:<12} | {:>7} | {:>16} | {:>19} | {:>8} | {:>11} | {:>6} |\n", "model",
             name_width, "size", "params", "backend", "threads", "test", "t/s", "MB/token", "% bandwidth", "% peak");
  fmt::print(
      "| {:-<{}} | {:->9}: | {:->8}: | {:-<12} | {:->6}: | {:->15}: | {:->18}: | {:->7}: | {:->10}: | {:->5}: |\n", "",
      name_width, "", "", "", "", "", "", "", "", "");
}

void PrintBenchRow(const BenchResult& result, const Floor& floor, const ModelSession& session) {
  double n_parameters = 0.0;
  double file_bytes = 0.0;
  for (const GgufTensor& tensor : session.file->tensors()) n_parameters += static_cast<double>(tensor.n_elements);
  for (const GgufTensor& tensor : session.file->tensors()) file_bytes += static_cast<double>(tensor.n_bytes);
  const DeviceNames device = NamesOf(session);
  const double bandwidth = PercentOfBandwidth(result, floor);
  const std::string share = bandwidth > 0.0 ? fmt::format("{:.1f}", bandwidth) : "unknown";
  const double percent = PercentOfPeak(result, floor);
  const std::string of_peak = percent > 0.0 ? fmt::format("{:.1f}", percent) : "";
  fmt::print("| {} | {:>6.2f} MiB | {:>7.2f} M | {:<12} | {:>7} | {:>16} | {:>19} | {:>8.2f} | {:>11} | {:>6} |\n",
             session.name, file_bytes / 1048576.0, n_parameters / 1e6, fmt::format("{} {}", device.labels, device.isa),
             device.n_threads, NameOf(result.test), fmt::format("{:.2f} ± {:.2f}", result.mean, result.stddev),
             BytesPerToken(result.test, floor) / 1e6, share, of_peak);
}

void PrintFloor(const DeviceProperties& device, const Floor& floor) {
  const std::string what = device.is_host_memory
                               ? fmt::format("Read bandwidth with {} threads", device.n_threads)
                               : fmt::format("Copy bandwidth of {}, bytes read and written", device.Label());
  fmt::print(
      "\n{}: {:.1f} GB/s. % bandwidth: the share of it that weights and KV cache alone take; over 100 where caches "
      "help.\n",
      what, floor.bandwidth / 1e9);
  if (floor.peak == 0.0) return;
  fmt::print(
      "Matrix instructions ({}) from registers alone: {:.2f} TOP/s, measured. % peak: the share of it that a prompt's "
      "products with the weights take, two operations for each weight and token.\n",
      floor.peak_of, floor.peak / 1e12);
}

void PrintProfile(const BenchResult& result, const Floor& floor) {
  if (result.profile.entries().empty()) return;
  const double all_seconds = SecondsOf(result.profile);
  fmt::print("\n{}, {} repetitions: {:.3f} s in ops\n\n", NameOf(result.test), result.samples.size(), all_seconds);
  fmt::print("| {:<20} | {:<28} | {:>7} | {:>9} | {:>6} | {:>8} | {:>8} | {:>10} |\n", "op", "kernel", "calls",
             "us/call", "% time", "GB/s", "GOP/s", "% roofline");
  fmt::print("| {:-<20} | {:-<28} | {:->6}: | {:->8}: | {:->5}: | {:->7}: | {:->7}: | {:->9}: |\n", "", "", "", "", "",
             "", "", "");
  for (const auto& [key, entry] : Sorted(result.profile)) {
    const double percent = PercentOfRoofline(entry.work, entry.seconds, floor);
    fmt::print("| {:<20} | {:<28} | {:>7} | {:>9.1f} | {:>6.1f} | {:>8.1f} | {:>8.1f} | {:>10} |\n", std::get<1>(key),
               std::get<2>(key), entry.n_calls, 1e6 * entry.seconds / static_cast<double>(entry.n_calls),
               100.0 * entry.seconds / all_seconds, entry.work.bytes / entry.seconds / 1e9,
               entry.work.operations / entry.seconds / 1e9, percent > 0.0 ? fmt::format("{:.1f}", percent) : "");
  }
}

}  // namespace rf::app
