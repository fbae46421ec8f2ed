"""The tiny models: one for each thing that an architecture can do. Sizes are odd on purpose."""
from dataclasses import dataclass, field, replace

import numpy as np

VOCABULARY = 280


@dataclass(frozen=True)
class Config:
    arch: str
    n_layers: int = 2
    d_model: int = 48
    n_heads: int = 4
    n_kv_heads: int = 2
    head_dim: int = 12
    rope_dim: int = 12
    d_ff: int = 80
    eps: float = 1e-5
    context: int = 128
    rope: dict = field(default_factory=lambda: {"rope_theta": 10000.0})
    local_rope_theta: float = 0.0
    window: int = 0
    window_pattern: int = 0  # every n-th layer sees everything; 0: all have the window
    tied: bool = False
    qkv_bias: bool = False
    other_biases: bool = False  # attention output and feed-forward
    qk_norm: bool = False
    fused: bool = False
    n_experts: int = 0
    n_experts_used: int = 0
    gelu: bool = False
    sandwich_norms: bool = False
    norm_adds_one: bool = False
    scales_embedding: bool = False
    scale_by_width: bool = False
    attention_soft_cap: float = 0.0
    logit_soft_cap: float = 0.0

    @property
    def attention_scale(self):
        size = self.d_model / self.n_heads if self.scale_by_width else self.head_dim
        return size**-0.5


@dataclass(frozen=True)
class Case:
    name: str
    config: Config
    without: dict  # changes to the configuration that must show in the result: proof that the case tests what it says
    n_tokens: int = 72
    ctx: int = 0  # positions in use; 0: the model's own

    @property
    def context(self):
        return self.ctx or self.config.context


def factors(seed, n, low, high):
    return [float(f) for f in np.float32(np.random.default_rng(seed).uniform(low, high, n))]


PLAIN = {"rope_theta": 10000.0}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}
LINEAR = {"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}
YARN = {"rope_type": "yarn", "rope_theta": 1e6, "factor": 4.0, "original_max_position_embeddings": 32}
BETAS = {**YARN, "rope_theta": 100.0, "original_max_position_embeddings": 64, "beta_fast": 4.0, "beta_slow": 0.25}
LONGROPE = {"rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 32,
            "max_position_embeddings": 128, "long_factor": factors(1, 6, 1.0, 6.0), "short_factor": factors(2, 6, 1.0, 1.5)}

LLAMA = Config("llama")
QWEN2 = Config("qwen2", qkv_bias=True, rope={"rope_theta": 1e6}, eps=1e-6)
QWEN3 = Config("qwen3", qk_norm=True, head_dim=20, rope_dim=20, rope={"rope_theta": 1e6}, eps=1e-6)
GEMMA3 = Config("gemma3", n_layers=7, qk_norm=True, head_dim=20, rope_dim=20, rope={"rope_theta": 1e6}, local_rope_theta=10000.0,
                window=16, window_pattern=6, tied=True, gelu=True, sandwich_norms=True, norm_adds_one=True,
                scales_embedding=True, eps=1e-6, n_kv_heads=1)
PHI3 = Config("phi3", fused=True, n_kv_heads=4)


def case(name, config, without, n_tokens=72, ctx=0, **changes):
    return Case(name, replace(config, **changes), without, n_tokens, ctx)


CASES = [
    case("llama", LLAMA, {"rope": {"rope_theta": 500.0}}, n_kv_heads=4),
    case("llama-gqa-tied", LLAMA, {"eps": 1e-2}, tied=True, n_heads=6, n_kv_heads=2, head_dim=8, rope_dim=8),
    case("llama-mqa", LLAMA, {"n_layers": 2}, n_kv_heads=1, n_layers=3),
    case("llama-head-dim", LLAMA, {"rope_dim": 8}, head_dim=16, rope_dim=16),
    case("llama-partial-rope", LLAMA, {"rope_dim": 12}, rope_dim=8),
    case("llama-biases", LLAMA, {"other_biases": False}, qkv_bias=True, other_biases=True),
    case("llama-window", LLAMA, {"window": 17}, window=16),
    case("llama-linear", LLAMA, {"rope": PLAIN}, rope=LINEAR),
    case("llama-llama3", LLAMA, {"rope": {"rope_theta": 500.0}}, rope=LLAMA3, tied=True),
    case("llama-yarn", LLAMA, {"rope": {"rope_theta": 1e6}}, rope=YARN),
    case("llama-yarn-betas", LLAMA, {"rope": {**BETAS, "beta_fast": 32.0}}, rope=BETAS, head_dim=20, rope_dim=20),
    case("llama-yarn-all-dim", LLAMA, {"rope": YARN}, rope={**YARN, "mscale_all_dim": 0.7}),
    case("llama-experts", LLAMA, {"n_experts_used": 3}, n_experts=5, n_experts_used=2, d_ff=32),
    case("qwen2", QWEN2, {"rope": PLAIN}, tied=True),
    case("qwen2-yarn", QWEN2, {"rope": {**YARN, "rope_type": "linear"}}, rope=YARN),
    case("qwen2-yarn-attention-factor", QWEN2, {"rope": YARN}, rope={**YARN, "attention_factor": 1.5}),
    case("qwen3", QWEN3, {"qk_norm": False}),
    case("qwen3-yarn-tied", QWEN3, {"rope": {"rope_theta": 1e6}}, rope=YARN, tied=True, n_kv_heads=1),
    case("gemma3", GEMMA3, {"window_pattern": 5}),
    case("gemma3-local-base", GEMMA3, {"local_rope_theta": 1e6}, window=64),
    case("gemma3-linear", GEMMA3, {"rope": {"rope_theta": 1e6}}, rope={"rope_type": "linear", "rope_theta": 1e6, "factor": 8.0}),
    case("gemma3-pattern", GEMMA3, {"window_pattern": 6}, window_pattern=3, n_layers=4),
    case("gemma3-soft-caps", GEMMA3, {"attention_soft_cap": 0.0}, attention_soft_cap=2.0, logit_soft_cap=5.0, n_layers=2),
    case("gemma3-27b-scale", GEMMA3, {"scale_by_width": False}, n_layers=62, scale_by_width=True, d_model=32, n_heads=2,
         head_dim=8, rope_dim=8, d_ff=32),
    case("phi3", PHI3, {"rope": {"rope_theta": 500.0}}),
    case("phi3-gqa-window", PHI3, {"window": 0}, n_kv_heads=2, window=16),
    case("phi3-long", PHI3, {"rope": {**LONGROPE, "max_position_embeddings": 32}}, rope=LONGROPE),
    case("phi3-short", PHI3, {"rope": {**LONGROPE, "short_factor": LONGROPE["long_factor"]}}, rope=LONGROPE,
         n_tokens=30, ctx=32),
    case("phi3-partial-rope", PHI3, {"rope_dim": 12, "rope": LONGROPE}, rope_dim=8, n_kv_heads=2,
         rope={**LONGROPE, "long_factor": factors(3, 4, 1.0, 6.0), "short_factor": factors(4, 4, 1.0, 1.5)}),
]
