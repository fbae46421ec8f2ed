// llama: Llama 1 to 3.3, SmolLM, Mistral, Yi, Mixtral. Touvron et al. 2023, arXiv:2302.13971; arXiv:2407.21783;
// arXiv:2401.04088. GGUF stores Q and K with rows permuted for rotation of adjacent pairs.
#include "model/arch_spec.h"

namespace rf {
namespace {

constexpr LayerBlock kLlamaLayer[] = {
    {Norm{"attn_norm"}},
    {SelfAttention{.pairing = RopePairing::kAdjacent}},
    {AddResidual{}},
    {Norm{"ffn_norm"}},
    {GatedFfn{.activation = Activation::kSilu}, When::kDense},
    {MoeFfn{.activation = Activation::kSilu, .normalizes_weights = true}, When::kExperts},
    {AddResidual{}},
};

constexpr std::string_view kIgnored[] = {"attn_rot_embd.weight", "attn_rope_freqs.weight"};

}  // namespace

extern const ArchSpec kArch_llama;
const ArchSpec kArch_llama = {
    .name = "llama",
    .layer = kLlamaLayer,
    .defaults = {.uses_window = true},
    .ignored_tensors = kIgnored,
};

}  // namespace rf
