"""How many rows fit in the memory that is free, and whether an error says that they did not.

An estimate from the model's config: keys and values of every row up to its last token, its logits, and the widest
activations of its prompt. Where it is too low, `TransformersLM` halves the batch and tries again.
"""

from __future__ import annotations

from typing import Any

USABLE = 0.8
"""Share of the free memory that rows may take; the rest is for what the estimate leaves out."""
_LOGITS_COPIES = 6
"""Float32 tensors (row, vocabulary) alive while a token is drawn: logits, counts, scaled, sorted, noise in float64."""
_CACHE_COPIES = 2
"""A cache that grows or loses rows is copied to a new one."""


def rows_that_fit(
    config: Any, bytes_per_number: int, vocabulary_size: int, cached_tokens: int, prompt_tokens: int, device: str
) -> int:
    """Return how many rows fit beside what is in memory now, at least one.

    Args:
        cached_tokens: tokens that the cache will hold for the longest row.
        prompt_tokens: tokens of the longest row that are run at once.
    """
    text_config = config.get_text_config() if hasattr(config, "get_text_config") else config

    def number(*names: str) -> int:
        return next((n for n in (getattr(text_config, name, None) for name in names) if isinstance(n, int) and n), 0)

    heads = number("num_attention_heads", "n_head")
    hidden = number("hidden_size", "n_embd")
    head_size = number("head_dim") or (hidden // heads if heads else 0)
    per_token = 2 * number("num_hidden_layers", "n_layer") * (number("num_key_value_heads") or heads) * head_size
    widest = 2 * max(number("intermediate_size", "n_inner") or 4 * hidden, hidden) + 6 * hidden
    row = bytes_per_number * (_CACHE_COPIES * cached_tokens * per_token + prompt_tokens * widest)
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


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether an error says that memory was short."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def release(device: str) -> None:
    """Give back what a failed run held."""
    import gc

    import torch

    gc.collect()
    if torch.device(device).type == "cuda":
        torch.cuda.empty_cache()
