// phi3: Phi-3 and Phi-4 mini, dense. Abdin et al. 2024, arXiv:2404.14219. Fused QKV and gate/up matrices; long-rope
// factors (Ding et al. 2024, arXiv:2402.13753) chosen by the context in use.
#include "model/arch_spec.h"

namespace rf {
namespace {

constexpr LayerBlock kPhi3Layer[] = {
    {Norm{"attn_norm"}}, {SelfAttention{.pairing = RopePairing::kHalves, .is_fused = true}}, {AddResidual{}},
    {Norm{"ffn_norm"}},  {GatedFfn{.activation = Activation::kSilu, .is_fused = true}},      {AddResidual{}},
};

}  // namespace

extern const ArchSpec kArch_phi3;
const ArchSpec kArch_phi3 = {.name = "phi3", .layer = kPhi3Layer, .defaults = {.uses_window = true}};

}  // namespace rf
