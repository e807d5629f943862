"""The rows as training steps see them: through the dataset and the collator that the training uses, every row once.

A step's batch is taken apart again into the rows it was made of, and each is held against what was encoded. So a fault
of padding, packing or labels shows here whatever its cause. Nothing is judged; the doctor's checks do that.
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
"""What makes a batch of a dataset's rows."""


@dataclass(frozen=True)
class RowAudit:
    """Places in the encoded rows, by what happened to them on the way into a batch."""

    not_whole: tuple[int, ...]
    """No batch holds the row as a document of its own: cut, lost, or run into another."""
    without_loss: tuple[int, ...]
    """No token of it carries a label."""
    without_end: tuple[int, ...]
    """Its last label is no end token."""
    taken_for_padding: tuple[int, ...]
    """A token of it lost its label or its attention, and it is the padding token."""
    wrong_on_prompt: tuple[int, ...]
    """A token of its prompt has another weight in the loss than train.prompt_loss_weight."""


def audit_rows(
    rows: Sequence[EncodedRow],
    tokenizer: PreTrainedTokenizerBase,
    train: TrainConfig,
    end: int,
    collate: Collate | None = None,
) -> RowAudit:
    """Send all rows through dataset and collator and tell what became of them.

    Args:
        end: the token that ends a completion.
        collate: what makes the batches; None: the collator of the training.
    """
    pad = padding_id(tokenizer)
    places: dict[tuple[int, ...], list[int]] = {}
    for place in range(len(rows) - 1, -1, -1):
        places.setdefault(rows[place].input_ids, []).append(place)
    found: dict[str, list[int]] = {
        name: [] for name in ("without_loss", "without_end", "taken_for_padding", "wrong_on_prompt")
    }
    for seen in _documents(make_dataset(rows, train), train, collate or make_collator(tokenizer, train)):
        if not places.get(seen.input_ids):
            continue
        place = places[seen.input_ids].pop()
        expected = rows[place].labels
        if seen.labels[1:] != expected[1:] or not all(seen.attended[1:]):
            inner = range(1, len(expected))
            lost = [i for i in inner if (seen.labels[i] == IGNORED != expected[i]) or not seen.attended[i]]
            if any(seen.input_ids[i] == pad for i in lost):
                found["taken_for_padding"].append(place)
        if any(w != train.prompt_loss_weight for w, e in zip(seen.weights[1:], expected[1:], strict=True) if e < 0):
            found["wrong_on_prompt"].append(place)
        if all(label == IGNORED for label in seen.labels[1:]):
            found["without_loss"].append(place)
        if seen.labels[-1] != end:
            found["without_end"].append(place)
    missing = sorted(place for left in places.values() for place in left)
    return RowAudit(tuple(missing), **{name: tuple(sorted(places)) for name, places in found.items()})


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
