"""How much memory the rows of a batch take, how much is free, and whether an error says that it ran out.

An estimate from the model's config: keys and values of every row up to its last token, its logits, and the widest
activations of its prompt. Where it is too low, `TransformersLM` halves the batch and tries again.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

USABLE = 0.8
"""Share of the free memory that an estimate may fill; the rest is for what the estimate leaves out."""
_LOGITS_COPIES = 4
"""Float32 tensors (row, vocabulary) alive while a token is drawn: logits, the penalised ones, parts, the next ones."""
_CACHE_COPIES = 2
"""A cache that grows or loses rows is copied to a new one."""
_MEMORY_WORDS = ("out of memory", "not enough memory", "can't allocate memory", "Cannot allocate memory")
"""In messages of RuntimeErrors: of CUDA, of torch's CPU allocator and of the operating system."""


@dataclass(frozen=True)
class TokenSizes:
    """How many numbers a token of a model takes.

    `cache` are its keys and values in all layers, `hidden` its hidden state, `inner` the widest state of its MLP.
    """

    cache: int
    hidden: int
    inner: int


def token_sizes(config: PreTrainedConfig) -> TokenSizes:
    """Read the sizes off a model's config; 0 where it does not name them."""
    text_config = config.get_text_config() if hasattr(config, "get_text_config") else config

    def number(*names: str) -> int:
        return next((n for n in (getattr(text_config, name, None) for name in names) if isinstance(n, int) and n), 0)

    heads = number("num_attention_heads", "n_head")
    hidden = number("hidden_size", "n_embd")
    head_size = number("head_dim") or (hidden // heads if heads else 0)
    cache = 2 * number("num_hidden_layers", "n_layer") * (number("num_key_value_heads") or heads) * head_size
    return TokenSizes(cache, hidden, number("intermediate_size", "n_inner") or 4 * hidden)


def rows_that_fit(
    config: PreTrainedConfig,
    bytes_per_number: int,
    vocabulary_size: int,
    cached_tokens: int,
    prompt_tokens: int,
    device: str,
) -> int:
    """Return how many rows fit beside what is in memory now, at least one.

    Args:
        cached_tokens: tokens that the cache will hold for the longest row.
        prompt_tokens: tokens of the longest row that are run at once.
    """
    sizes = token_sizes(config)
    widest = 2 * max(sizes.inner, sizes.hidden) + 6 * sizes.hidden
    row = bytes_per_number * (_CACHE_COPIES * cached_tokens * sizes.cache + prompt_tokens * widest)
    row += 4 * _LOGITS_COPIES * vocabulary_size
    return max(1, int(USABLE * free_bytes(device)) // row)


def free_bytes(device: str) -> int:
    """Return the memory that is free on a torch device; on the CPU what the system can give without swapping."""
    import torch

    if torch.device(device).type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)  # by torch, for reuse
        return int(free + held)
    import psutil

    return int(psutil.virtual_memory().available)


def is_out_of_memory(error: BaseException | None) -> bool:
    """Tell whether a GPU's or the machine's memory ran out, in this error or in one that it was raised from."""
    import torch

    if error is None:
        return False
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    says_so = isinstance(error, RuntimeError) and any(words in str(error) for words in _MEMORY_WORDS)
    return says_so or is_out_of_memory(error.__cause__)


def release(device: str) -> None:
    """Give back what nothing uses any more, e.g. of a failed run or a trainer, also to the operating system."""
    import ctypes
    import gc
    import sys

    import torch

    gc.collect()
    if sys.platform == "linux":  # glibc keeps what is freed: 700 MB after a LoRA of a model of 270 million parameters
        with contextlib.suppress(OSError, AttributeError):  # another C library has no such function
            ctypes.CDLL(None).malloc_trim(0)
    if torch.device(device).type == "cuda":
        torch.cuda.empty_cache()
