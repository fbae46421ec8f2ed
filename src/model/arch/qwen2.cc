// qwen2: Qwen 1.5, 2 and 2.5. Yang et al. 2024, arXiv:2407.10671. Llama with biases on Q, K and V.
#include "model/arch_spec.h"

namespace rf {
namespace {

constexpr LayerBlock kQwen2Layer[] = {
    {Norm{"attn_norm"}},
    {SelfAttention{.pairing = RopePairing::kHalves, .qkv_bias = Presence::kRequired}},
    {AddResidual{}},
    {Norm{"ffn_norm"}},
    {GatedFfn{.activation = Activation::kSilu}},
    {AddResidual{}},
};

}  // namespace

extern const ArchSpec kArch_qwen2;
const ArchSpec kArch_qwen2 = {.name = "qwen2", .layer = kQwen2Layer};

}  // namespace rf
