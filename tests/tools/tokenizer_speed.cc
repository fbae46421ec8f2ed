// How fast a vocabulary tokenizes a text: for docs/performance.md, and to be run beside another engine's.
//   rf_tokenizer_speed VOCAB.gguf TEXT_FILE [RUNS]
// Prints the first and the best of RUNS (default 20) for the text and for ten copies of it in one call, as lines
// "COPIES ids FIRST_MB/s BEST_MB/s"; only Encode is timed, without special tokens. The very first call meets cold
// caches.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "gguf/reader.h"
#include "model/vocab.h"
#include "text/tokenizer/tokenizer.h"

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: rf_tokenizer_speed VOCAB.gguf TEXT_FILE [RUNS]\n");
    return 2;
  }
  const auto file = rf::GgufFile::Open(argv[1], {.vocab_only_ok = true});
  auto vocab = file ? rf::ReadVocab(*file) : rf::Result<rf::VocabData>(file.error());
  const auto tokenizer =
      vocab ? rf::Tokenizer::Create(std::move(*vocab)) : rf::Result<std::unique_ptr<rf::Tokenizer>>(vocab.error());
  if (!tokenizer) {
    std::fprintf(stderr, "%s\n", tokenizer.error().ToString().c_str());
    return 1;
  }
  std::ifstream in(argv[2], std::ios::binary);
  const std::string once{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const int n_runs = argc > 3 ? std::atoi(argv[3]) : 20;
  for (const int copies : {1, 10}) {
    std::string text;
    for (int i = 0; i < copies; ++i) text += once;
    double best = 1e9, first = 0;
    size_t n_ids = 0;
    for (int run = 0; run < n_runs; ++run) {
      const auto begin = std::chrono::steady_clock::now();
      n_ids = (*tokenizer)->Encode(text, {.add_special = false}).size();
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      best = seconds < best ? seconds : best;
      if (run == 0) first = seconds;
    }
    const double megabytes = static_cast<double>(text.size()) / 1e6;
    std::printf("%d %zu %.2f %.2f\n", copies, n_ids, megabytes / first, megabytes / best);
  }
  return 0;
}
