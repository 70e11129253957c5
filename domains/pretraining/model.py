"""The Qwen2 shape in a page of torch; parameters carry the names of Hugging Face."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SHAPE = {"vocab_size": 1024, "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 4,
         "num_attention_heads": 4, "num_key_value_heads": 4, "rms_norm_eps": 1e-6, "rope_theta": 10000.0}
HEAD = 32
INITIAL_DEVIATION = 0.05


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        hidden, heads, kv = SHAPE["hidden_size"], SHAPE["num_attention_heads"], SHAPE["num_key_value_heads"]
        self.q_proj = nn.Linear(hidden, heads * HEAD)
        self.k_proj = nn.Linear(hidden, kv * HEAD)
        self.v_proj = nn.Linear(hidden, kv * HEAD)
        self.o_proj = nn.Linear(heads * HEAD, hidden, bias=False)

    def forward(self, x: Tensor, rope: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        batch, length, _ = x.shape
        q, k, v = (p(x).view(batch, length, -1, HEAD).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        mixed = F.scaled_dot_product_attention(rotate(q, rope), rotate(k, rope), v, mask)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, -1))


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        hidden, inner = SHAPE["hidden_size"], SHAPE["intermediate_size"]
        self.gate_proj = nn.Linear(hidden, inner, bias=False)
        self.up_proj = nn.Linear(hidden, inner, bias=False)
        self.down_proj = nn.Linear(inner, hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attn, self.mlp = Attention(), Mlp()
        self.input_layernorm = nn.RMSNorm(SHAPE["hidden_size"], SHAPE["rms_norm_eps"])
        self.post_attention_layernorm = nn.RMSNorm(SHAPE["hidden_size"], SHAPE["rms_norm_eps"])

    def forward(self, x: Tensor, rope: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), rope, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(SHAPE["vocab_size"], SHAPE["hidden_size"])
        self.layers = nn.ModuleList(Layer() for _ in range(SHAPE["num_hidden_layers"]))
        self.norm = nn.RMSNorm(SHAPE["hidden_size"], SHAPE["rms_norm_eps"])
        for name, parameter in self.named_parameters():
            # Layers that add nothing at first let a token's own embedding through: copying is found sooner.
            if name.endswith("bias") or "o_proj" in name or "down_proj" in name:
                nn.init.zeros_(parameter)
            elif parameter.dim() == 2:
                nn.init.normal_(parameter, std=INITIAL_DEVIATION)

    def forward(self, ids: Tensor, documents: Tensor) -> Tensor:
        """Logits `[batch, length, vocabulary]`; `documents` numbers each token's document, none sees another."""
        length = ids.shape[1]
        mask = (documents[:, None, :, None] == documents[:, None, None, :]) & torch.ones(length, length, dtype=torch.bool).tril()
        x, rope = self.embed_tokens(ids), rotation(length)
        for layer in self.layers:
            x = layer(x, rope, mask)
        return F.linear(self.norm(x), self.embed_tokens.weight)


def rotation(length: int) -> tuple[Tensor, Tensor]:
    frequencies = SHAPE["rope_theta"] ** -(torch.arange(0, HEAD, 2) / HEAD)
    angles = torch.outer(torch.arange(length), frequencies).repeat(1, 2)
    return angles.cos(), angles.sin()


def rotate(x: Tensor, rope: tuple[Tensor, Tensor]) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return x * rope[0] + torch.cat((-second, first), dim=-1) * rope[1]
