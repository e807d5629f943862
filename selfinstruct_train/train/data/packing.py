"""Make a Hugging Face Dataset of the rows, one by one or in packs, and batches of it.

A pack holds complete rows, up to train.max_length tokens in all, filled by best fit decreasing. Packs are made once and
depend on the rows' lengths alone; each epoch has its own order of packs. The documents of a pack do not attend to one
another (`network.attention`), so packing decides only which rows share an optimizer step.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...config import TrainConfig
from .encode import IGNORED, EncodedRow

if TYPE_CHECKING:
    import torch
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase


Example = Mapping[str, Sequence[int]]
"""A row of `make_dataset`: a training row or a pack."""
Batch = dict[str, Any]
"""The inputs of a model: tensors, and for packs the length of the longest document as a number."""


def pack_rows(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Distribute rows over packs of at most `capacity` tokens: best fit decreasing, rows of equal length in order.

    Raises:
        ValueError: a row is longer than a pack.
    """
    packs: list[list[int]] = []
    open_packs: dict[int, list[int]] = {}  # free tokens -> packs with that many
    free: list[int] = []  # the keys of open_packs, sorted
    for row in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if lengths[row] > capacity:
            raise ValueError(
                f"a row has {lengths[row]} tokens, more than a pack of train.max_length {capacity}; raise it"
            )
        index = bisect_left(free, lengths[row])
        if index == len(free):
            room, pack = capacity, len(packs)
            packs.append([])
        else:
            room = free[index]
            pack = open_packs[room].pop()
            if not open_packs[room]:
                del open_packs[room], free[index]
        packs[pack].append(row)
        left = room - lengths[row]
        if left:
            if left not in open_packs:
                insort(free, left)
            open_packs.setdefault(left, []).append(pack)
    return packs


def num_examples(rows: Sequence[EncodedRow], train: TrainConfig) -> int:
    """Return the examples of an epoch: the number of packs or, without packing, of rows."""
    return len(pack_rows([len(row.input_ids) for row in rows], train.max_length)) if train.packing else len(rows)


def make_dataset(rows: Sequence[EncodedRow], train: TrainConfig) -> Dataset:
    """Return the dataset that training steps are made of: packs, or single rows.

    Its columns are input_ids and labels, and for packs seq_lengths, the lengths of their documents.
    """
    import datasets

    if not train.packing:
        return datasets.Dataset.from_dict(
            {"input_ids": [list(row.input_ids) for row in rows], "labels": [list(row.labels) for row in rows]}
        )
    packs = pack_rows([len(row.input_ids) for row in rows], train.max_length)
    assert sorted(row for pack in packs for row in pack) == list(range(len(rows))), "packing lost or doubled a row"
    examples = [pack_of([rows[i] for i in pack]) for pack in packs]
    return datasets.Dataset.from_dict({name: [example[name] for example in examples] for name in examples[0]})


def pack_of(documents: Sequence[EncodedRow]) -> Example:
    """Concatenate documents."""
    return {
        "input_ids": [token for row in documents for token in row.input_ids],
        "labels": [label for row in documents for label in row.labels],
        "seq_lengths": [len(row.input_ids) for row in documents],
    }


def with_filler(dataset: Dataset) -> Dataset:
    """Return the dataset with a filler row of one token, which carries no loss."""
    filler = {"input_ids": dataset[0]["input_ids"][:1], "labels": [IGNORED]}
    return dataset.add_item(filler | ({"seq_lengths": [1]} if "seq_lengths" in dataset.column_names else {}))


def padding_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the id of the padding token; EOS if the tokenizer has none."""
    return int(tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id)


def make_collator(tokenizer: PreTrainedTokenizerBase, train: TrainConfig) -> Callable[[list[Example]], Batch]:
    """Return the function that makes a batch of examples of `make_dataset`, padded on the right.

    Padding gets neither attention nor loss, so any id will do if the tokenizer has no padding token.
    """
    pad_id = padding_id(tokenizer)

    def collate(examples: list[Example]) -> Batch:
        return (collate_packs if "seq_lengths" in examples[0] else collate_rows)(examples, pad_id)

    return collate


def collate_rows(examples: Sequence[Example], pad_id: int) -> Batch:
    """Return input_ids, labels and attention_mask, each (rows, longest), int64."""
    return {
        "input_ids": _padded([example["input_ids"] for example in examples], pad_id),
        "labels": _padded([example["labels"] for example in examples], IGNORED),
        "attention_mask": _padded([[1] * len(example["input_ids"]) for example in examples], 0),
    }


def collate_packs(examples: Sequence[Example], pad_id: int) -> Batch:
    """Return a batch of packs without attention_mask, in the form that transformers expects of packed rows.

    Beside input_ids and labels, (packs, longest), it holds: position_ids, which start at 0 in every document and are 0
    on padding; cu_seq_lens_q and _k, int32, the borders of documents in the flattened batch (a pack's padding counts as
    a document); max_length_q and _k. A document's first token has no label, because nothing precedes it.
    """
    import torch

    input_ids = _padded([example["input_ids"] for example in examples], pad_id)
    labels = _padded([example["labels"] for example in examples], IGNORED)
    width = input_ids.shape[1]
    positions, lengths = [], []
    for example in examples:
        padding = width - len(example["input_ids"])
        positions.append([index for length in example["seq_lengths"] for index in range(length)] + [0] * padding)
        lengths += [*example["seq_lengths"], *([padding] if padding else [])]
    position_ids = torch.tensor(positions)
    labels[position_ids == 0] = IGNORED
    borders = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)
    longest = max(lengths)
    return {
        **{"input_ids": input_ids, "labels": labels, "position_ids": position_ids},
        **{"cu_seq_lens_q": borders, "cu_seq_lens_k": borders, "max_length_q": longest, "max_length_k": longest},
    }


def _padded(rows: Sequence[Sequence[int]], value: int) -> torch.Tensor:
    import torch

    width = max(map(len, rows))
    return torch.tensor([[*row, *[value] * (width - len(row))] for row in rows])
