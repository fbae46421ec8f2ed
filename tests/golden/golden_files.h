// Where the golden data lie, and how their files are read.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace rf::golden {

/// A folder of the golden data, which are not part of this repository: ROCMFORGE_GOLDEN names them, else they lie
/// beside it.
inline std::filesystem::path Folder(const char* name) {
  const char* given = std::getenv("ROCMFORGE_GOLDEN");
  return std::filesystem::path(given != nullptr ? given : RF_SOURCE_DIR "/../shared/golden") / name;
}

inline std::filesystem::path TemplateFolder() {
  return Folder("templates");
}

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::vector<nlohmann::ordered_json> ReadJsonLines(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::vector<nlohmann::ordered_json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::ordered_json::parse(line));
  return lines;
}

}  // namespace rf::golden
