// How a hostile file is opened in tests: every way there is, under the bounds that hold for all of them.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "gguf/reader.h"
#include "gguf/test_util/message_check.h"

namespace rf {

/// Bounds of one refusal: time, and memory beyond what the process had before (not looked at under sanitizers).
inline constexpr double kMaxRefusalSeconds = 1.0;
inline constexpr int64_t kMaxRefusalBytes = int64_t{64} << 20;

/// Opens the file mapped, read and verified, and checks that all three fail alike, within the bounds, and that the
/// message is well formed and contains each of `parts`. Failures are reported through GoogleTest.
void ExpectRefused(const std::string& path, const std::vector<std::string>& parts,
                   ErrorCode code = ErrorCode::kCorruptFile, const GgufOptions& options = {});

/// As ExpectRefused, for bytes that are put in a file first.
void ExpectRefusedBytes(std::string_view bytes, const std::vector<std::string>& parts,
                        ErrorCode code = ErrorCode::kCorruptFile, const GgufOptions& options = {});

/// Opens the bytes mapped, read and verified, expects success each time and calls check(file) with each.
void ExpectAccepted(std::string_view bytes, const std::function<void(const GgufFile&)>& check = {},
                    const GgufOptions& options = {});

}  // namespace rf
