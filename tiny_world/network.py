"""The tiny base model as plain matrices: the Llama architecture written for training on two CPU cores.

The same function as transformers' LlamaForCausalLM (a test compares the logits), but the query, key and value matrices are
one, gate and up are one, matrices multiply in bfloat16, and attention is written out for short sequences. Compiled, forward
and backward do 8,000 tokens/s where LlamaForCausalLM under autocast does 5,000 (4,096 tokens in rows of 256, two cores of
an EPYC 9004). No cache, no generation.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

ATTENTION_BLOCK = 128


@dataclass(frozen=True)
class Shape:
    """Sizes of the network; every field is a field of LlamaConfig too, under the name in the comment."""

    vocab: int  # vocab_size
    width: int = 256  # hidden_size
    layers: int = 6  # num_hidden_layers
    heads: int = 4  # num_attention_heads
    kv_heads: int = 2  # num_key_value_heads
    inner: int = 768  # intermediate_size
    context: int = 1024  # max_position_embeddings
    theta: float = 10_000.0  # rope_theta
    epsilon: float = 1e-6  # rms_norm_eps


class Network(nn.Module):
    """The parameters (float32) and the loss of a batch."""

    def __init__(self, shape: Shape, seed: int) -> None:
        super().__init__()
        self.shape = shape
        generator = torch.Generator().manual_seed(seed)
        width, head = shape.width, shape.width // shape.heads

        def matrix(rows: int, columns: int, spread: float = 0.02) -> nn.Parameter:
            return nn.Parameter(torch.randn(rows, columns, generator=generator) * spread)

        def stack(rows: int, columns: int, spread: float = 0.02) -> nn.ParameterList:
            return nn.ParameterList(matrix(rows, columns, spread) for _ in range(shape.layers))

        into_residual = 0.02 / (2 * shape.layers) ** 0.5
        self.embedding = matrix(shape.vocab, width)
        self.qkv = stack((shape.heads + 2 * shape.kv_heads) * head, width)
        self.out = stack(width, width, into_residual)
        self.gate_up = stack(2 * shape.inner, width)
        self.down = stack(width, shape.inner, into_residual)
        self.attention_norm = nn.ParameterList(nn.Parameter(torch.ones(width)) for _ in range(shape.layers))
        self.mlp_norm = nn.ParameterList(nn.Parameter(torch.ones(width)) for _ in range(shape.layers))
        self.final_norm = nn.Parameter(torch.ones(width))
        frequencies = shape.theta ** -(torch.arange(0, head, 2).float() / head)
        angles = torch.outer(torch.arange(shape.context).float(), frequencies)[:, None]
        self.cosine: Tensor
        self.sine: Tensor
        self.register_buffer("cosine", angles.cos(), persistent=False)  # (context, 1, head / 2)
        self.register_buffer("sine", angles.sin(), persistent=False)

    def logits(self, ids: Tensor) -> Tensor:
        """Next-token logits of ids (batch, seq), as bfloat16 (batch, seq, vocab)."""
        x = functional.embedding(ids, self.embedding)  # (batch, seq, width) float32
        for layer in range(self.shape.layers):
            x = x + self._attention(self._normed(x, self.attention_norm[layer]), layer)
            gate, up = _linear(self._normed(x, self.mlp_norm[layer]), self.gate_up[layer]).float().chunk(2, -1)
            x = x + _linear((functional.silu(gate) * up).bfloat16(), self.down[layer])
        return _linear(self._normed(x, self.final_norm), self.embedding)

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy in nats of targets (batch, seq), the token after each of ids (batch, seq)."""
        return functional.cross_entropy(self.logits(ids).flatten(0, 1).float(), targets.flatten())

    def _normed(self, x: Tensor, weight: Tensor) -> Tensor:
        return (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.shape.epsilon) * weight).bfloat16()

    def _attention(self, x: Tensor, layer: int) -> Tensor:
        batch, length, width = x.shape
        heads, kv_heads = self.shape.heads, self.shape.kv_heads
        projected = _linear(x, self.qkv[layer]).view(batch, length, heads + 2 * kv_heads, width // heads)
        q, k, v = projected.split((heads, kv_heads, kv_heads), 2)
        q, k = (_rotated(t, self.cosine[:length], self.sine[:length]).transpose(1, 2) for t in (q, k))
        k = k.repeat_interleave(heads // kv_heads, 1)
        v = v.transpose(1, 2).repeat_interleave(heads // kv_heads, 1)  # (batch, heads, seq, head)
        mixed = _attend(q, k, v).transpose(1, 2).reshape(batch, length, width)
        return _linear(mixed, self.out[layer])


def _linear(x: Tensor, weight: Tensor) -> Tensor:
    return functional.linear(x, weight.bfloat16())


def _rotated(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary positions in the half-and-half layout of transformers' Llama."""
    first, second = x.float().chunk(2, -1)
    return torch.cat((first * cosine - second * sine, second * cosine + first * sine), -1).bfloat16()


def _attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention, block of queries after block: only the keys up to the block's end are multiplied.

    At these sizes the CPU kernel behind scaled_dot_product_attention takes more time, most of it in the backward pass.
    """
    length, block = q.shape[2], max(ATTENTION_BLOCK, q.shape[2] // 4)
    mixed = []
    for start in range(0, length, block):
        end = min(start + block, length)
        weights = (q[:, :, start:end] @ k[:, :, :end].transpose(-1, -2)).float() * q.shape[-1] ** -0.5
        future = torch.ones(end - start, end, dtype=torch.bool).triu(start + 1)
        weights = weights.masked_fill(future, float("-inf")).softmax(-1).bfloat16()
        mixed.append(weights @ v[:, :, :end])
    return torch.cat(mixed, 2)
