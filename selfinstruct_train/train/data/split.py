"""Split off the validation rows, by instruction; `validation` measures each checkpoint on them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...config import TrainConfig
from ...core.records import Row
from ...core.seeding import derive_seed


def split_validation(rows: Sequence[Row], number: int, seed: int) -> tuple[list[Row], list[Row]]:
    """Return (training rows, validation rows), at least `number` of the latter, with no instruction in both.

    Instructions are drawn by seed and text, independent of their order; both parts keep the order of the rows.

    Raises:
        ValueError: nothing would be left to train on.
    """
    if number == 0:
        return list(rows), []
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[_instruction(row)] = sizes.get(_instruction(row), 0) + 1
    drawn = sorted(sizes, key=lambda text: (derive_seed(seed, "train", "held out", text), text))
    chosen: set[str] = set()
    count = 0
    for text in drawn:
        if count + sizes[text] <= number:
            chosen.add(text)
            count += sizes[text]
    if count < number:  # each remaining instruction has too many rows; take the smallest
        chosen |= set(sorted((text for text in drawn if text not in chosen), key=lambda text: sizes[text])[:1])
    if len(chosen) == len(sizes):
        raise ValueError(
            f"train.validation_rows is {number}, but there are {len(rows)} rows of {len(sizes)} instructions: nothing "
            "would be left to train on; lower it, or generate more"
        )
    validation_rows = [row for row in rows if _instruction(row) in chosen]
    return [row for row in rows if _instruction(row) not in chosen], validation_rows


def check_best_by(train: TrainConfig, validation_rows: Sequence[Row]) -> None:
    """Refuse to choose the best checkpoint by a metric that is 0 for most validation rows, whatever the model answers.

    Raises:
        ValueError: train.best_by is rouge_l, and more than half of the outputs have no Latin letter or digit.
    """
    unseen = sum(not re.search("[a-z0-9]", row.output.lower()) for row in validation_rows)
    if train.best_by == "rouge_l" and 2 * unseen > len(validation_rows):
        raise ValueError(
            f"train.best_by is rouge_l, which sees Latin letters and digits only, but {unseen} of "
            f"{len(validation_rows)} validation outputs have none; set train.best_by: loss"
        )


def _instruction(row: Row) -> str:
    return " ".join(row.instruction.split()).casefold()
