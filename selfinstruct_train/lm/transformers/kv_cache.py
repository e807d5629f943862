"""The cache of a decoding batch: transformers' DynamicCache with room to grow and rows that come and go.

Transformers' own attention layer copies all keys and values at every step. Here an attention layer reserves room in
blocks and writes in place (a step at 32 rows x 500 tokens of a 5 M model: 29 ms against 129 ms). A sliding-window layer
is such a layer too: it keeps every token, so that rows of different lengths can be joined, and the mask hides what lies
outside the window. A layer with a recurrent state (linear attention, Mamba, short convolutions) stays as transformers
makes it; its state is copied and joined row by row.

A prompt prefix that all rows share may stand before the rows' own keys without being copied (see `shared_prefix`). The
cache then counts the rows' own tokens only.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from .shared_prefix import PREFIX_ATTRIBUTE, PrefixKeys, QueryPositions

if TYPE_CHECKING:
    from torch import LongTensor, Tensor
    from transformers import DynamicCache, PreTrainedConfig, PreTrainedModel
    from transformers.cache_utils import DynamicLayer

BLOCK_TOKENS = 128

_ATTENTION = ("DynamicLayer", "DynamicSlidingWindowLayer")
_STATE = "LinearAttentionLayer"
_STATE_AND_ATTENTION = "LinearAttentionAndFullAttentionLayer"
_EMPTY = "DummyLayer"
"""Layer classes of transformers, by name: older versions lack some of them."""


def new_cache(config: PreTrainedConfig) -> DynamicCache:
    """Return an empty cache for the model of this config."""
    from transformers import DynamicCache

    result = DynamicCache(config=config)
    if {_kind(layer) for layer in result.layers} <= {*_ATTENTION, _STATE, _STATE_AND_ATTENTION, _EMPTY}:
        result.layers = [_block(layer) if _kind(layer) in _ATTENTION else layer for layer in result.layers]
    return result


def rows_can_join(kv_cache: DynamicCache) -> bool:
    """Return whether rows of other batches can be joined to the rows of this cache."""
    known = ("BlockLayer", _STATE, _STATE_AND_ATTENTION, _EMPTY)
    return bool(kv_cache.layers) and all(_kind(layer) in known for layer in kv_cache.layers)


def has_states(kv_cache: DynamicCache) -> bool:
    """Return whether a layer has a recurrent state, which padding behind a prefix would change."""
    return any(_kind(layer) in (_STATE, _STATE_AND_ATTENTION) for layer in kv_cache.layers)


def can_hold_prefix_once(config: PreTrainedConfig) -> bool:
    """Return whether the attention layers of this model's cache can stand behind a prefix that is not copied."""
    text_config = config.get_text_config(decoder=True)
    layer_types = getattr(text_config, "layer_types", None) or ()
    if "chunked_attention" in layer_types or getattr(text_config, "attention_chunk_size", None):
        return False
    if "local" in getattr(text_config, "attention_layers", ()):  # GPT-Neo's windows count columns of the cache
        return False
    kinds = {_kind(layer) for layer in new_cache(config).layers}
    return "BlockLayer" in kinds and kinds <= {"BlockLayer", _STATE, _EMPTY}


def behind_prefix(prefix: DynamicCache, config: PreTrainedConfig, num_rows: int) -> DynamicCache:
    """Return a cache for `num_rows` rows that see the one-row cache `prefix` before their own tokens.

    Keys and values of the prefix are not copied; the recurrent states after it are.
    """
    result = new_cache(config)
    positions = QueryPositions()
    result.query_positions = positions  # type: ignore[attr-defined]  # read by `set_positions`
    sources: list[Any] = prefix.layers
    for index, source in enumerate(sources):
        if _kind(source) == "BlockLayer" and source.is_initialized:
            layer: Any = result.layers[index]
            layer.prefix = PrefixKeys.of(source.keys, source.values, source.window, positions)
        elif _kind(source) == _STATE:
            result.layers[index] = _repeated_layer(source, num_rows)
    return result


def set_positions(kv_cache: DynamicCache | None, positions: Tensor) -> None:
    """Tell the attention to a prefix which positions, int64 (rows, queries), the next queries have in their texts."""
    known: QueryPositions | None = getattr(kv_cache, "query_positions", None)
    if known is not None:
        known.set(positions)


def repeated(kv_cache: DynamicCache, num_rows: int) -> DynamicCache:
    """Return a new cache that holds the single row of `kv_cache` `num_rows` times."""
    result = copy.copy(kv_cache)
    result.layers = [_repeated_layer(layer, num_rows) for layer in kv_cache.layers]
    return result


def joined(caches: Sequence[DynamicCache], width: int) -> DynamicCache:
    """Return a new cache with the rows of all, each cut or padded on the left to `width` tokens."""
    result = copy.copy(caches[0])
    result.layers = [_joined_layer(layers, width) for layers in zip(*(part.layers for part in caches), strict=True)]
    return result


def argument_name(model: PreTrainedModel) -> str:
    """Return the argument under which a model takes its cache; one that it does not know it would ignore.

    Raises:
        ValueError: it takes none.
    """
    parameters = inspect.signature(model.forward).parameters
    for name in ("past_key_values", "cache_params"):
        if name in parameters:
            return name
    raise ValueError(
        f"{type(model).__name__} keeps nothing between tokens that transformers could hand on (it takes no "
        "past_key_values); use another model, or serve this one and set model.backend to http"
    )


def select_rows(kv_cache: DynamicCache, indices: Tensor) -> None:
    """Keep the rows at `indices`, int64 (rows,), in any kind of layer."""
    kv_cache.reorder_cache(cast("LongTensor", indices))  # the one way that every kind of layer knows


def _kind(layer: Any) -> str:
    return type(layer).__name__


def _repeated_layer(layer: Any, num_rows: int) -> Any:
    """Return a copy of a layer that holds its single row `num_rows` times."""
    import torch

    result = _copy_of(layer)
    tensors = (layer.keys if hasattr(layer, "keys") else None, *getattr(layer, "conv_states", {}).values())
    tensors += tuple(getattr(layer, "recurrent_states", {}).values())
    device = next((tensor.device for tensor in tensors if tensor is not None), None)
    if device is not None:
        result.reorder_cache(torch.zeros(num_rows, dtype=torch.int64, device=device))
    return result


def _joined_layer(layers: Sequence[Any], width: int) -> Any:
    """Return a new layer with the rows of all; keys and values are aligned at the right of `width` tokens."""
    import torch

    first = layers[0]
    result = _copy_of(first)
    for name in ("conv_states", "recurrent_states"):
        states: dict[int, Tensor | None] = getattr(result, name, {})
        for index, state in states.items():
            if state is not None:
                states[index] = torch.cat([getattr(layer, name)[index] for layer in layers])
    if getattr(first, "keys", None) is not None:
        keys, values = (_stacked([getattr(layer, name) for layer in layers], width) for name in ("keys", "values"))
        if _kind(first) == "BlockLayer":
            result.key_buffer, result.value_buffer = keys, values
        result.keys, result.values = keys[:, :, :width], values[:, :, :width]
    return result


def _copy_of(layer: Any) -> Any:
    """Return a layer of the same contents whose states and keys can be replaced."""
    result = copy.copy(layer)
    for name, value in vars(layer).items():
        if isinstance(value, dict):
            setattr(result, name, dict(value))
    return result


def _block(layer: Any) -> Any:
    """Return an empty block layer in place of an attention layer of transformers."""
    result: Any = _block_layer()()
    result.window = getattr(layer, "sliding_window", None)
    return result


@cache
def _block_layer() -> type[DynamicLayer]:
    """Make the layer class late: its base class lives in transformers."""
    from transformers.cache_utils import DynamicLayer

    class BlockLayer(DynamicLayer):
        """Keys and values (batch, heads, used tokens, head size) as views of larger buffers."""

        window: int | None = None
        prefix: PrefixKeys | None = None
        key_buffer: Tensor | None = None
        value_buffer: Tensor | None = None

        def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
            assert self.keys is not None and self.values is not None
            used = self.keys.shape[2] if self.keys.numel() else 0
            total = used + key_states.shape[2]
            if self.key_buffer is None or self.value_buffer is None or total > self.key_buffer.shape[2]:
                self.key_buffer = _grown(self.keys, key_states, total + BLOCK_TOKENS)
                self.value_buffer = _grown(self.values, value_states, total + BLOCK_TOKENS)
            self.key_buffer[:, :, used:total] = key_states
            self.value_buffer[:, :, used:total] = value_states
            self.keys, self.values = self.key_buffer[:, :, :total], self.value_buffer[:, :, :total]
            if self.prefix is not None:
                setattr(self.keys, PREFIX_ATTRIBUTE, self.prefix)
            return self.keys, self.values

        def reorder_cache(self, beam_idx: LongTensor) -> None:
            super().reorder_cache(beam_idx)
            self.key_buffer = self.value_buffer = None

    return BlockLayer


def _grown(old: Tensor, new: Tensor, capacity: int) -> Tensor:
    """Return a buffer with room for `capacity` tokens that begins with the old ones: (batch, heads, capacity, size)."""
    buffer = new.new_empty(new.shape[0], new.shape[1], capacity, new.shape[3])
    if old.numel():
        buffer[:, :, : old.shape[2]] = old
    return buffer


def _stacked(parts: list[Tensor], width: int) -> Tensor:
    """Return the rows of all parts in one buffer, aligned at the right of `width` tokens; zeros on the left."""
    first = parts[0]
    rows = sum(len(part) for part in parts)
    buffer = first.new_empty(rows, first.shape[1], width + BLOCK_TOKENS, first.shape[3])
    start = 0
    for part in parts:
        used = min(width, part.shape[2])
        target = buffer[start : start + len(part)]
        target[:, :, : width - used] = 0
        target[:, :, width - used : width] = part[:, :, part.shape[2] - used :]
        start += len(part)
    return buffer
