#include "app/tokenizer_file.h"

#include <utility>

#include "app/store/model_store.h"
#include "gguf/reader.h"
#include "model/vocab.h"

namespace rf::app {

Result<std::unique_ptr<Tokenizer>> OpenTokenizer(const std::string& model) {
  RF_ASSIGN_OR_RETURN(const auto path, ResolveModel(model));
  GgufOptions options;
  options.vocab_only_ok = true;
  RF_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::Open(path.string(), options));
  RF_ASSIGN_OR_RETURN(VocabData vocab, ReadVocab(file));
  return Tokenizer::Create(std::move(vocab));
}

}  // namespace rf::app
