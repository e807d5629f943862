"""The rows as a Hugging Face Dataset, one by one or in packs, and the collator that makes batches of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..config import TrainConfig
from .encode import EncodedRow


def make_dataset(rows: Sequence[EncodedRow], train: TrainConfig) -> Any:
    """Return a datasets.Dataset of what training steps are made of: columns input_ids, labels."""
    import datasets

    if train.packing:
        raise ValueError("train.packing is not there yet")
    return datasets.Dataset.from_dict(
        {"input_ids": [list(row.input_ids) for row in rows], "labels": [list(row.labels) for row in rows]}
    )


def make_collator(tokenizer: Any, train: TrainConfig) -> Any:
    """Return what makes a batch of rows of `make_dataset`; None: the trainer's own."""
    return None
