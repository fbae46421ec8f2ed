// A small but complete llama-like model as a file, for tests: 2 layers, d_model 256, vocabulary of 256, F32, Q4_K and
// Q8_0 tensors, random weights. About 470 KiB, the same bytes every time.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "gguf/writer.h"

namespace rf {

/// Contents to change before they are written; the tensors' bytes live in `data`.
struct BaseModel {
  GgufContents contents;
  std::vector<std::vector<std::byte>> data;

  BaseModel() = default;
  BaseModel(BaseModel&&) = default;
  BaseModel& operator=(BaseModel&&) = default;
  BaseModel(const BaseModel&) = delete;
  BaseModel& operator=(const BaseModel&) = delete;

  /// Adds a tensor of zero bytes (in the size its shape needs).
  void AddTensor(const std::string& name, Format format, std::vector<int64_t> shape);
  /// Index in contents.tensors. REQUIRES: it is there.
  size_t Find(const std::string& name) const;
};

inline constexpr int64_t kBaseLayers = 2;
inline constexpr int64_t kBaseModelDim = 256;
inline constexpr int64_t kBaseHeads = 4;
inline constexpr int64_t kBaseKvHeads = 1;
inline constexpr int64_t kBaseHeadDim = 64;
inline constexpr int64_t kBaseFfDim = 256;
inline constexpr int64_t kBaseVocab = 256;

BaseModel MakeBaseModel();

/// The file itself.
std::string BaseModelBytes();

}  // namespace rf
