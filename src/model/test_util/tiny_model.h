// Small complete models of every architecture for tests of the builder: all weights are zero, only names and sizes
// count.
#pragma once

#include <string>
#include <vector>

#include "gguf/test_util/base_model.h"

namespace rf {

struct TinyModelOptions {
  std::string architecture = "llama";
  int32_t n_experts = 0;                       ///< only for architectures that can have experts
  std::vector<std::string> rope_factors = {};  ///< names of tables of rope factors, all ones
};

inline constexpr int32_t kTinyLayers = 2;
inline constexpr int32_t kTinyModelDim = 24;
inline constexpr int32_t kTinyHeads = 4;
inline constexpr int32_t kTinyKvHeads = 2;
inline constexpr int32_t kTinyHeadDim = 6;
inline constexpr int32_t kTinyFfDim = 40;

/// The tables that llama3 and phi3 files have.
inline const std::vector<std::string> kLlama3Factors = {"rope_freqs.weight"};
inline const std::vector<std::string> kLongRopeFactors = {"rope_factors_long.weight", "rope_factors_short.weight"};

/// Keys as the publishers' converters write them, the vocabulary of MakeBaseModel, the F32 tensors that the builder
/// requires.
BaseModel MakeTinyModel(const TinyModelOptions& options);

/// Every architecture of archs.def.
std::vector<std::string> AllArchNames();

/// Opens the model as a file, builds it and its tokenizer. Empty on success, else the error; checks that it is one line
/// of at most 300 printable bytes (a GoogleTest failure otherwise) and that no refusal takes longer than a second.
std::string BuildErrorOf(const GgufContents& contents);

}  // namespace rf
