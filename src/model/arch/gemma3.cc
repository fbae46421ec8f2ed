// gemma3: Gemma 3, text. Gemma Team 2025, arXiv:2503.19786. Norms before and after each sub-layer (the stored weights
// are 1 + w), five layers with a sliding window and a rope base of their own for each one without.
#include "model/arch_spec.h"

namespace rf {
namespace {

constexpr LayerBlock kGemma3Layer[] = {
    {Norm{"attn_norm"}},
    {SelfAttention{.pairing = RopePairing::kHalves, .qk_norm = Presence::kRequired, .scale = AttentionScale::kGemma3}},
    {Norm{"post_attention_norm"}},
    {AddResidual{}},
    {Norm{"ffn_norm"}},
    {GatedFfn{.activation = Activation::kGeluTanh}},
    {Norm{"post_ffw_norm"}},
    {AddResidual{}},
};

}  // namespace

extern const ArchSpec kArch_gemma3;
const ArchSpec kArch_gemma3 = {
    .name = "gemma3",
    .layer = kGemma3Layer,
    .defaults = {.window_pattern = 6, .uses_window = true, .rope_base = 1e6f, .local_rope_base = 10000.0f},
    .scales_embedding = true,
};

}  // namespace rf
