"""From a row to the token ids and labels that are trained on: the loss falls on the completion and its EOS alone.

Training and inference see the same ids: the prompt is tokenised by itself, as a backend does, and the completion
follows with its separating space. Nothing is truncated: a row that is too long is dropped and counted, because a
completion without its end would teach the model not to stop.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..prompt_format import TemplateName, prompt_ids, training_text
from ..seeding import derive_seed
from .rows import Row

IGNORED = -100
"""The label of a token without loss (PyTorch's cross entropy skips it)."""


@dataclass(frozen=True)
class EncodedRow:
    """`labels` equals `input_ids` on the completion and the EOS, and is -100 on the prompt."""

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True)
class Encoding:
    """The rows to train on; `numbers` are their places in the source, `dropped` the places of others by reason."""

    rows: tuple[EncodedRow, ...]
    numbers: tuple[int, ...]
    dropped: dict[str, tuple[int, ...]]
    truncated: tuple[int, ...] = ()
    """Places of rows whose completion was cut."""


def encode(tokenizer: Any, prompt: str, completion: str, eos_id: int) -> EncodedRow:
    """Encode one training text; `completion` begins with the separating space where its format has one."""
    before = prompt_ids(tokenizer, prompt)
    after = [*_continuation_ids(tokenizer, prompt, completion), eos_id]
    return EncodedRow((*before, *after), (*[IGNORED] * len(before), *after))


def encode_rows(
    rows: Sequence[Row], tokenizer: Any, template: TemplateName, max_length: int, eos_id: int, seed: int
) -> Encoding:
    """Encode all rows; those that are blank, too long, or equal to an earlier one are dropped and counted.

    The format that template "paper" draws for a row depends on the seed and the row's text, not on its place.

    Raises:
        ValueError: no row is left.
    """
    kept: dict[EncodedRow, int] = {}
    dropped: dict[str, list[int]] = {"blank": [], "too_long": [], "duplicate": []}
    for number, row in enumerate(rows):
        if not row.instruction.strip() or not row.output.strip():
            dropped["blank"].append(number)
            continue
        rng = random.Random(derive_seed(seed, "train", "template", row.instruction, row.input, row.output))
        text = training_text(row.instruction, row.input, row.output, template, rng)
        encoded = encode(tokenizer, *text, eos_id)
        if len(encoded.input_ids) > max_length:
            dropped["too_long"].append(number)
        elif encoded in kept:
            dropped["duplicate"].append(number)
        else:
            _check(encoded, tokenizer, eos_id)
            kept[encoded] = number
    if not kept:
        raise ValueError(
            f"none of {len(rows)} training rows is left: {len(dropped['blank'])} have a blank instruction or output "
            f"and {len(dropped['too_long'])} are longer than {max_length} tokens; raise train.max_length or "
            "mend the data"
        )
    return Encoding(tuple(kept), tuple(kept.values()), {reason: tuple(found) for reason, found in dropped.items()})


def _continuation_ids(tokenizer: Any, prompt: str, completion: str) -> list[int]:
    """Tokenise the completion as a continuation of the prompt.

    Alone, a SentencePiece tokenizer would put a second space in front of it; together, a merge may cross the border,
    and then the prompt would not have the ids that inference gives it.
    """
    before = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    whole = tokenizer(prompt + completion, add_special_tokens=False)["input_ids"]
    if whole[: len(before)] == before and len(whole) > len(before):
        return list(whole[len(before) :])
    return list(tokenizer(completion, add_special_tokens=False)["input_ids"])


def _check(row: EncodedRow, tokenizer: Any, eos_id: int) -> None:
    """Hold on to what training must never miss: a supervised EOS, something before it, no loss on the prompt."""
    assert row.labels[-1] == row.input_ids[-1] == eos_id
    supervised = sum(label != IGNORED for label in row.labels)
    assert 1 < supervised <= len(row.input_ids) == len(row.labels)
    assert row.labels[-supervised:] == row.input_ids[-supervised:]
    bos = tokenizer.bos_token_id
    assert bos is None or row.input_ids[:2] != (bos, bos)
