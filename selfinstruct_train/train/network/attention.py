"""Attention within the documents of a pack: the implementation to use, our own one, and a check of the result.

For packed rows transformers makes a dense mask, with which SDPA computes the whole square of a pack. Ours computes each
document by itself: on a CPU one after another, on a GPU in torch's variable-length flash kernel. Flash attention and
flex attention separate documents themselves. `check_documents_apart` measures whether a model does, whatever it uses.
"""

from __future__ import annotations

import functools
import itertools
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...config import TrainConfig
from ..data.encode import EncodedRow

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel

    from ..data.packing import Example

log = logging.getLogger(__name__)

DOCUMENTS = "documents"
"""The name of our attention among transformers' attention functions."""
PROBE_LENGTH = 24
"""Tokens of each document in the pack of `check_documents_apart`."""


def attention_for(train: TrainConfig, on_gpu: bool) -> str | None:
    """Return the attention implementation to load a model with; None: the model's default.

    With packing and attention "auto", `use_documents_attention` replaces SDPA afterwards.
    """
    if train.attention != "auto":
        return train.attention
    if not on_gpu or train.precision == "float32":
        return None
    import torch
    from transformers.utils import is_flash_attn_2_available

    return "flash_attention_2" if torch.cuda.is_bf16_supported() and is_flash_attn_2_available() else None


def use_documents_attention(network: PreTrainedModel) -> None:
    """Replace SDPA by our attention, which computes packs document by document; other attention stays."""
    if network.config._attn_implementation != "sdpa":
        return
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(DOCUMENTS, documents_attention)
    AttentionMaskInterface.register(DOCUMENTS, sdpa_mask)
    network.set_attn_implementation(DOCUMENTS)


def documents_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    cu_seq_lens_q: Tensor | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attend within each document of a packed batch; any other batch goes to SDPA unchanged.

    Args:
        query: (batch, heads, seq, head_dim); `key` and `value` may have fewer heads.
        attention_mask: the dense mask of transformers, (batch or 1, 1, seq, seq); it includes sliding windows.
        cu_seq_lens_q: the borders of documents in the flattened batch, (documents + 1,).

    Returns:
        (batch, seq, heads, head_dim), and no attention weights.
    """
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if cu_seq_lens_q is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    if query.is_cuda:
        half = torch.get_autocast_dtype("cuda") if torch.is_autocast_enabled("cuda") else query.dtype
        kernel = None if half == torch.float32 else _varlen_attention()
        if kernel is None:
            return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
        states = (query.to(half), key.to(half), value.to(half))
        return attend_by_borders(kernel, *states, cu_seq_lens_q, **options), None
    width, is_windowed = query.shape[2], options.get("sliding_window") is not None
    borders = cu_seq_lens_q.tolist()
    pieces = []
    for start, end in itertools.pairwise(borders):
        row, columns = start // width, slice(start % width, start % width + end - start)
        mask = None
        if is_windowed and end - start > options["sliding_window"]:
            mask = attention_mask[min(row, len(attention_mask) - 1), None, :, columns, columns]
        q, k, v = (states[row, None, :, columns] for states in (query, key, value))
        pieces.append(sdpa_attention_forward(module, q, k, v, mask, **options)[0][0])
    return torch.cat(pieces).view(len(query), width, *pieces[0].shape[1:]), None


def attend_by_borders(
    kernel: Callable[..., Any], query: Tensor, key: Tensor, value: Tensor, borders: Tensor, **options: Any
) -> Tensor:
    """Attend by `kernel`, which takes the arguments of torch's varlen_attn; shapes as above, in 16 bits."""
    batch, heads, width, head_dim = query.shape
    if key.shape[1] != heads:
        key, value = (states.repeat_interleave(heads // key.shape[1], dim=1) for states in (key, value))
    flat = [states.transpose(1, 2).reshape(batch * width, heads, head_dim) for states in (query, key, value)]
    window, longest = options.get("sliding_window"), options["max_length_q"]
    scale, left = options.get("scaling"), -1 if window is None else window - 1
    attended: Tensor = kernel(*flat, borders, borders, longest, longest, scale=scale, window_size=(left, 0))
    return attended.view(batch, width, heads, head_dim)


@functools.cache
def _varlen_attention() -> Callable[..., Any] | None:
    """Return torch's variable-length attention; None: this version lacks it, or it fails on this GPU."""
    import torch

    try:
        from torch.nn.attention.varlen import varlen_attn

        states = torch.ones(4, 1, 64, dtype=torch.bfloat16, device="cuda", requires_grad=True)
        borders = torch.tensor([0, 3, 4], dtype=torch.int32, device="cuda")
        kernel: Callable[..., Any] = varlen_attn
        kernel(states, states, states, borders, borders, 3, 3, scale=1.0, window_size=(-1, 0)).sum().backward()
    except (ImportError, TypeError, RuntimeError, NotImplementedError) as error:
        log.warning("packs attend through a dense mask, which is slow (%s); install flash-attn", error)
        return None
    return kernel


def check_documents_apart(network: nn.Module, rows: Sequence[EncodedRow], is_exact: bool = True) -> None:
    """Compare the logits of three short documents in a pack with those of each document alone.

    The difference is compared with that of the same tokens read as one text.

    Args:
        network: as it will train, wrapped or not; every process calls this.
        is_exact: matrix products run in float32; else in 16 bits, and the tolerance allows for their rounding.

    Raises:
        ValueError: they differ, so documents of a pack would attend to one another.
    """
    import torch

    from ..data.packing import pack_of

    texts = [row.input_ids[:PROBE_LENGTH] for row in rows[:3]]
    documents = [EncodedRow(texts[i % len(texts)], texts[i % len(texts)]) for i in range(3)]
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            together = _logits(network, pack_of(documents))
            alone = torch.cat([_logits(network, pack_of([document])) for document in documents])
            joined = _logits(network, pack_of([EncodedRow(*[sum((d.input_ids for d in documents), ())] * 2)]))
    except TypeError as error:
        raise ValueError(
            f"train.packing: this model does not take packs ({error}); set train.packing: false"
        ) from error
    finally:
        network.train(was_training)
    moved, leak = (float((logits - alone).square().mean(-1).sqrt().max()) for logits in (together, joined))
    if not moved <= (1e-3 if is_exact else 0.1) * leak + 1e-6:
        raise ValueError(
            f"train.packing: documents in one pack change one another's logits in this model (by {moved:.2g}; read as "
            f"one text, by {leak:.2g}); set train.packing: false, or another train.attention"
        )


def _logits(network: nn.Module, pack: Example) -> Tensor:
    """Return the logits of one pack, float32, (tokens, vocabulary)."""
    import torch

    from ..data.packing import collate_packs

    device = next(network.parameters()).device
    batch = {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in collate_packs([pack], 0).items()}
    del batch["labels"]
    return network(**batch, use_cache=False).logits[0].float()
