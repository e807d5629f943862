"""Encode rows into token ids and labels, with loss on the completion and its end token only.

Training and inference use the same prompt ids: the prompt is tokenised by itself, as a backend does, and the completion
follows with its separating space. Rows that are too long are dropped and counted, because a completion without its end
would teach the model not to stop. If the run asks to cut them instead, the cut completion gets no end token.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...config import TrainConfig
from ...core.prompt_format import (
    TemplateName,
    chat_text,
    end_id,
    prompt_ids,
    question,
    question_ids,
    rendered_ids,
    training_text,
    user_message,
)
from ...core.records import Row
from ...core.seeding import derive_seed

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100
"""The label of a token without loss (PyTorch's cross entropy skips it)."""


@dataclass(frozen=True)
class EncodedRow:
    """`labels` equals `input_ids` on the completion and its end token, and is -100 on the prompt."""

    input_ids: tuple[int, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True)
class Encoding:
    """The rows to train on; `numbers` are their indices in the source, `dropped` those of the others, by reason."""

    rows: tuple[EncodedRow, ...]
    numbers: tuple[int, ...]
    dropped: dict[str, tuple[int, ...]]
    truncated: tuple[int, ...] = ()
    """Indices in the source of rows whose completion was cut and has no end; `numbers` holds them too."""


def encode(
    tokenizer: PreTrainedTokenizerBase, prompt: str, completion: str, eos_id: int, is_chat: bool = False
) -> EncodedRow:
    """Encode one training text; `completion` begins with the separating space where its format has one.

    Args:
        is_chat: prompt and completion come from `chat_text`, where the template has written the BOS.
    """
    before = rendered_ids(tokenizer, prompt) if is_chat else prompt_ids(tokenizer, prompt)
    after = [*_continuation_ids(tokenizer, prompt, completion), eos_id]
    return EncodedRow((*before, *after), (*[IGNORED] * len(before), *after))


def evaluation_ids(tokenizer: PreTrainedTokenizerBase, row: Row, template: TemplateName) -> list[int]:
    """Return the token ids of a row's prompt as evaluation writes it."""
    return question_ids(tokenizer, *question(row.instruction, row.input, template), _name(tokenizer))


def encode_rows(rows: Sequence[Row], tokenizer: PreTrainedTokenizerBase, train: TrainConfig, seed: int) -> Encoding:
    """Encode all rows; those that are blank, too long, or equal to an earlier one are dropped and counted.

    The format that template "paper" draws for a row depends on the seed and the row's text, not on its index. With
    template "chat" a completion ends with the token that ends a turn, not with the EOS. With too_long "truncate" a
    completion is cut, unless the prompt leaves no room for its first token.

    Args:
        train: only its template, max_length and too_long are used.

    Raises:
        ValueError: no row is left, the chat template cannot be trained with, or the tokenizer gives ids that are not
            whole numbers from 0.
    """
    template, max_length = train.template, train.max_length
    end = end_id(tokenizer, template, _name(tokenizer))
    kept: dict[EncodedRow, int] = {}
    truncated = []
    dropped: dict[str, list[int]] = {"blank": [], "too_long": [], "duplicate": []}
    for number, row in enumerate(rows):
        if not row.instruction.strip() or not row.output.strip():
            dropped["blank"].append(number)
            continue
        encoded = encode(tokenizer, *_text(row, tokenizer, template, seed), end, template == "chat")
        if encoded.labels[-2] == IGNORED:  # some tokenizers ignore e.g. a zero-width space
            dropped["blank"].append(number)
            continue
        _check_ids(encoded, number, row)
        _check_labels(encoded, end)
        is_cut = len(encoded.input_ids) > max_length
        if is_cut:
            encoded = EncodedRow(encoded.input_ids[:max_length], encoded.labels[:max_length])
        if is_cut and (train.too_long == "drop" or encoded.labels[-1] == IGNORED):
            dropped["too_long"].append(number)
        elif encoded in kept:
            dropped["duplicate"].append(number)
        else:
            kept[encoded] = number
            truncated += [number] if is_cut else []
    if not kept:
        raise ValueError(
            f"none of {len(rows)} rows is left: {len(dropped['blank'])} have a blank instruction or output "
            f"and {len(dropped['too_long'])} are longer than {max_length} tokens; raise train.max_length or "
            "correct the data"
        )
    by_reason = {reason: tuple(found) for reason, found in dropped.items()}
    return Encoding(tuple(kept), tuple(kept.values()), by_reason, tuple(truncated))


def _text(row: Row, tokenizer: PreTrainedTokenizerBase, template: TemplateName, seed: int) -> tuple[str, str]:
    if template == "chat":
        return chat_text(tokenizer, user_message(row.instruction, row.input), row.output.strip(), _name(tokenizer))
    rng = random.Random(derive_seed(seed, "train", "template", row.instruction, row.input, row.output))
    return training_text(row.instruction, row.input, row.output, template, rng)


def _name(tokenizer: PreTrainedTokenizerBase) -> str:
    return str(getattr(tokenizer, "name_or_path", ""))


def _continuation_ids(tokenizer: PreTrainedTokenizerBase, prompt: str, completion: str) -> list[int]:
    """Tokenise the completion as a continuation of the prompt.

    By itself, a SentencePiece tokenizer would put a second space in front of it. Behind the prompt, a merge may cross
    the border, and the prompt would not have the ids of inference; then another text takes the prompt's role.
    """
    for context in (prompt, "\n", ":"):
        before = tokenizer(context, add_special_tokens=False)["input_ids"]
        whole = tokenizer(context + completion, add_special_tokens=False)["input_ids"]
        if whole[: len(before)] == before and len(whole) > len(before):
            return list(whole[len(before) :])
    return list(tokenizer(completion, add_special_tokens=False)["input_ids"])


def _check_ids(encoded: EncodedRow, number: int, row: Row) -> None:
    """Refuse ids that no embedding has; a tokenizer without an unknown token may give None for a character.

    Raises:
        ValueError: it names the row and the first such id.
    """
    ids = encoded.input_ids
    if set(map(type, ids)) == {int} and min(ids) >= 0:
        return
    wrong = next(token for token in ids if type(token) is not int or token < 0)
    raise ValueError(
        f"row {number + 1} ({' '.join(row.instruction.split())[:60]!r}): the tokenizer gives {wrong!r} as a token id, "
        "and ids are whole numbers from 0; set unk_token in tokenizer_config.json, or take another model"
    )


def _check_labels(row: EncodedRow, end: int) -> None:
    """Assert what every row needs: an end token with loss, a completion before it, no loss on the prompt."""
    assert row.labels[-1] == row.input_ids[-1] == end
    supervised = sum(label != IGNORED for label in row.labels)
    assert 1 < supervised <= len(row.input_ids) == len(row.labels)
    assert row.labels[-supervised:] == row.input_ids[-supervised:]
