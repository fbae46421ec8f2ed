// A model: everything that its file says, checked and ready for the plan.
#pragma once

#include <string>

#include "base/result.h"
#include "gguf/reader.h"
#include "model/graph.h"
#include "model/hyperparameters.h"
#include "text/tokenizer/tokenizer.h"

namespace rf {

struct ModelOptions {
  /// Positions that will be used at most; 0: the model's own, but no more than `default_context` if that is given.
  /// Chooses between long-rope's tables.
  int32_t context_length = 0;
  int32_t default_context = 0;
};

struct Model {
  std::string architecture;
  Hyperparameters hparams;
  Graph graph;  ///< refers to the file's tensors by index
  VocabData vocab;
  std::string chat_template;  ///< empty if the file has none
};

/// Reads and checks a model. Errors: kUnsupported (unknown architecture, with the list of known ones; a LoRA or
/// projector file, said by name; a tensor that the architecture does not know), kCorruptFile (hyper-parameters, shapes,
/// missing tensors, vocabulary size).
Result<Model> BuildModel(const GgufFile& file, const ModelOptions& options);

}  // namespace rf
