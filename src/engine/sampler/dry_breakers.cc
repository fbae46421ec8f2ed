#include "engine/sampler/dry_breakers.h"

#include <algorithm>
#include <string_view>

#include "engine/sampler/steps.h"

namespace rf {

void ResolveDryBreakers(const Tokenizer& tokenizer, SamplingParams& params) {
  params.dry_breaker_ids.clear();
  if (!UsesDry(params)) return;
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    const std::string_view piece = tokenizer.PieceView(id);
    const bool is_breaker =
        std::any_of(params.dry_breakers.begin(), params.dry_breakers.end(),
                    [&](const std::string& breaker) { return piece.find(breaker) != std::string_view::npos; });
    if (is_breaker) params.dry_breaker_ids.push_back(id);
  }
}

}  // namespace rf
