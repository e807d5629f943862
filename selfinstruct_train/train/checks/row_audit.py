"""Audit the rows as training steps get them: every row once, through the dataset and the collator of the training.

Each batch is split into its rows again, and each is compared with its encoding. So every fault of padding, packing or
labels is found, whatever its cause. The audit only records; the doctor's checks decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...config import TrainConfig
from ..data.encode import IGNORED, EncodedRow
from ..data.packing import Batch, Example, make_collator, make_dataset, padding_id
from ..network.loss import token_weights

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

Collate = Callable[[list[Example]], Batch]
"""Makes a batch of a dataset's rows."""


@dataclass(frozen=True)
class RowAudit:
    """Indices of encoded rows, by what happened to them on the way into a batch."""

    not_whole: tuple[int, ...]
    """No batch holds the row as a document of its own: it is cut, lost, or joined with another."""
    without_loss: tuple[int, ...]
    """No token of the row has a label."""
    without_end: tuple[int, ...]
    """The last label is not the end token."""
    taken_for_padding: tuple[int, ...]
    """A padding token within the row lost its label or its attention."""
    wrong_on_prompt: tuple[int, ...]
    """A prompt token has another weight in the loss than train.prompt_loss_weight."""


def audit_rows(
    rows: Sequence[EncodedRow],
    tokenizer: PreTrainedTokenizerBase,
    train: TrainConfig,
    end: int,
    collate: Collate | None = None,
) -> RowAudit:
    """Send all rows through dataset and collator and record what happened to them.

    Args:
        end: the token that ends a completion.
        collate: makes the batches; None: the collator of the training.
    """
    pad = padding_id(tokenizer)
    indices: dict[tuple[int, ...], list[int]] = {}
    for index in range(len(rows) - 1, -1, -1):
        indices.setdefault(rows[index].input_ids, []).append(index)
    found: dict[str, list[int]] = {
        name: [] for name in ("without_loss", "without_end", "taken_for_padding", "wrong_on_prompt")
    }
    for seen in _documents(make_dataset(rows, train), train, collate or make_collator(tokenizer, train)):
        if not indices.get(seen.input_ids):
            continue
        index = indices[seen.input_ids].pop()
        expected = rows[index].labels
        if seen.labels[1:] != expected[1:] or not all(seen.attended[1:]):
            inner = range(1, len(expected))
            lost = [i for i in inner if (seen.labels[i] == IGNORED != expected[i]) or not seen.attended[i]]
            if any(seen.input_ids[i] == pad for i in lost):
                found["taken_for_padding"].append(index)
        if any(w != train.prompt_loss_weight for w, e in zip(seen.weights[1:], expected[1:], strict=True) if e < 0):
            found["wrong_on_prompt"].append(index)
        if all(label == IGNORED for label in seen.labels[1:]):
            found["without_loss"].append(index)
        if seen.labels[-1] != end:
            found["without_end"].append(index)
    missing = sorted(index for left in indices.values() for index in left)
    return RowAudit(tuple(missing), **{name: tuple(sorted(indices)) for name, indices in found.items()})


@dataclass(frozen=True)
class _Document:
    """A row in a batch, without padding; `weights` are those of its tokens in the loss."""

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    attended: tuple[int, ...]
    weights: tuple[float, ...]


def _documents(dataset: Dataset, train: TrainConfig, collate: Collate) -> Iterator[_Document]:
    """Yield every document of every batch."""
    for columns in dataset.iter(batch_size=train.per_device_batch_size):
        examples: list[Example] = [
            dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
        ]
        batch = collate(examples)
        weights = token_weights(batch, train.prompt_loss_weight).double().round(decimals=6).tolist()
        ids, labels = batch["input_ids"].tolist(), batch["labels"].tolist()
        mask = batch["attention_mask"].tolist() if "attention_mask" in batch else None
        positions = batch["position_ids"].tolist() if "position_ids" in batch else None
        for number, example in enumerate(examples):
            length = len(example["input_ids"])
            first = 0 if ids[number][:length] == example["input_ids"] else len(ids[number]) - length  # padded left
            starts = [first]
            if positions is not None:  # they count from 0 in each document
                starts += [i for i in range(first + 1, first + length) if positions[number][i] == 0]
            for start, end in zip(starts, [*starts[1:], first + length], strict=True):
                yield _Document(
                    tuple(ids[number][start:end]),
                    tuple(labels[number][start:end]),
                    tuple(mask[number][start:end]) if mask else (1,) * (end - start),
                    (0.0, *weights[number][start : end - 1]),
                )
