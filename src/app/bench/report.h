// Results of the benchmark as a table, JSON, or CSV.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "app/bench/floor.h"
#include "app/bench/measure.h"
#include "engine/model_session.h"

namespace rf::app {

/// "pp512", "tg64 @ d8192 x 16", "pp512+tg64".
std::string NameOf(const BenchTest& test);

nlohmann::ordered_json BenchToJson(const BenchResult& result, const Floor& floor, const ModelSession& session);

/// The line of names, and a result's line: what of its JSON is one number or text. Lines end with a newline.
std::string BenchCsvHeader();
std::string BenchCsvLine(const nlohmann::ordered_json& row);

/// Each writes lines to standard output.
void PrintBenchHeader(size_t name_width);
void PrintBenchRow(const BenchResult& result, const Floor& floor, const ModelSession& session);
/// What the columns in percent mean, with what was measured.
void PrintFloor(const DeviceProperties& device, const Floor& floor);
/// Where the result's time went, what took longest first; nothing if its profile is empty.
void PrintProfile(const BenchResult& result, const Floor& floor);

}  // namespace rf::app
