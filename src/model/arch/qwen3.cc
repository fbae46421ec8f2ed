// qwen3: Qwen 3, dense. Yang et al. 2025, arXiv:2505.09388. Each head of Q and K is normalized before it rotates.
#include "model/arch_spec.h"

namespace rf {
namespace {

constexpr LayerBlock kQwen3Layer[] = {
    {Norm{"attn_norm"}},
    {SelfAttention{.pairing = RopePairing::kHalves, .qk_norm = Presence::kRequired}},
    {AddResidual{}},
    {Norm{"ffn_norm"}},
    {GatedFfn{.activation = Activation::kSilu}},
    {AddResidual{}},
};

}  // namespace

extern const ArchSpec kArch_qwen3;
const ArchSpec kArch_qwen3 = {.name = "qwen3", .layer = kQwen3Layer};

}  // namespace rf
