"""A dataset in the forms that other tools read: the same rows give the same bytes.

- prompt_completion: JSONL of `prompt` and `completion`, as the released code finetunes on: one of its templates drawn
  for each row, the completion closed by "<|endoftext|>". The draw is that of our training with `train.template: paper`.
- openai_chat: JSONL of `messages`, for OpenAI's fine-tuning.
- alpaca: one JSON list of `instruction`, `input`, `output`.
- messages: parquet of `messages` with `id` and `source`, for TRL and others that know chats.
"""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import Config
from ..core.prompt_format import training_text, user_message
from ..core.records import Row
from ..core.seeding import derive_seed
from ..core.storage import write_atomically
from .rows import find_dataset, read_rows

END_OF_TEXT = "<|endoftext|>"
"""What closes a completion in the released code's finetuning data (prepare_for_finetuning.py)."""
OPENAI_MIN_ROWS = 10
"""OpenAI's fine-tuning refuses a file with fewer examples (its guide on supervised fine-tuning)."""

FILE_NAMES = {
    "prompt_completion": "prompt_completion.jsonl",
    "openai_chat": "openai_chat.jsonl",
    "alpaca": "alpaca.json",
    "messages": "messages.parquet",
}


@dataclass(frozen=True)
class Export:
    """A written export; `num_left_out` rows had no text for one of the two sides."""

    path: Path
    num_rows: int
    num_left_out: int


def export(config: Config) -> Export:
    """Write the dataset in `export.format` to <run_dir>/export.

    Raises:
        ValueError: no dataset, no row of the source asked for, or too few for the format.
    """
    settings = config.export
    path = find_dataset(config, "export.dataset", settings.dataset)
    rows = [row for row in read_rows(path) if settings.source in ("all", row.source)]
    if not rows:
        raise ValueError(f"{path}: no row has source {settings.source!r}; set export.source to all")
    usable = [row for row in rows if row.instruction.strip() and row.output.strip()]
    if settings.format == "openai_chat" and len(usable) < OPENAI_MIN_ROWS:
        raise ValueError(
            f"{path}: {len(usable)} rows for openai_chat; OpenAI takes at least {OPENAI_MIN_ROWS}, so generate more"
        )
    target = Path(config.run_dir) / "export" / FILE_NAMES[settings.format]
    write_atomically(target, FORMATS[settings.format](usable, config.seed))
    return Export(target, len(usable), len(rows) - len(usable))


def prompt_completion(rows: Sequence[Row], seed: int) -> bytes:
    """Return the released code's finetuning format; each row draws its template from its own seed."""
    records = []
    for row in rows:
        rng = random.Random(derive_seed(seed, "train", "template", row.instruction, row.input, row.output))
        prompt, completion = training_text(row.instruction, row.input, row.output, "paper", rng)
        records.append({"prompt": prompt, "completion": completion + END_OF_TEXT})
    return _jsonl(records)


def openai_chat(rows: Sequence[Row], seed: int) -> bytes:
    """Return the chat format of OpenAI's fine-tuning: a user's and an assistant's message, nothing else."""
    return _jsonl([{"messages": messages(row)} for row in rows])


def alpaca(rows: Sequence[Row], seed: int) -> bytes:
    """Return the format of the Stanford Alpaca data."""
    records = [{"instruction": row.instruction, "input": row.input, "output": row.output} for row in rows]
    lines = ",\n".join(_json(record, indent=2) for record in records)
    return f"[\n{lines}\n]\n".encode()


def messages_parquet(rows: Sequence[Row], seed: int) -> bytes:
    """Return a parquet file with the features of a Hugging Face dataset: id, source, messages."""
    import pyarrow
    import pyarrow.parquet
    from datasets import Features, List, Value

    message = {"role": Value("string"), "content": Value("string")}
    features = Features({"id": Value("string"), "source": Value("string"), "messages": List(message)})
    records = [{"id": row.id, "source": row.source, "messages": messages(row)} for row in rows]
    table = pyarrow.Table.from_pylist(records, schema=features.arrow_schema)
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer)
    return buffer.getvalue()


def messages(row: Row) -> list[dict[str, str]]:
    """Return a row as a chat: instruction and input from the user, the output from the assistant."""
    return [
        {"role": "user", "content": user_message(row.instruction, row.input)},
        {"role": "assistant", "content": row.output},
    ]


FORMATS: dict[str, Callable[[Sequence[Row], int], bytes]] = {
    "prompt_completion": prompt_completion,
    "openai_chat": openai_chat,
    "alpaca": alpaca,
    "messages": messages_parquet,
}


def _jsonl(records: Sequence[dict[str, Any]]) -> bytes:
    return "".join(_json(record) + "\n" for record in records).encode()


def _json(record: dict[str, Any], indent: int | None = None) -> str:
    """One value; the line separators of Unicode are escaped, which some readers of JSONL take for the end of a line."""
    text = json.dumps(record, ensure_ascii=False, indent=indent)
    for separator in "\u0085\u2028\u2029":
        text = text.replace(separator, f"\\u{ord(separator):04x}")
    return text
