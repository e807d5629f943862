"""The form in which the dataset is exported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .ranges import check_choices


@dataclass(frozen=True)
class ExportConfig:
    """`selfinstruct export`: the dataset in a form that another tool reads, in <run_dir>/export."""

    format: Literal["prompt_completion", "openai_chat", "alpaca", "messages"] = "messages"
    """prompt_completion: JSONL as the released code finetunes on; openai_chat: JSONL of OpenAI's fine-tuning; alpaca: a
    JSON list of instruction, input, output; messages: parquet of chats, as TRL reads them."""
    dataset: str | None = None
    """File or folder of rows; null: the run's dataset."""
    source: Literal["all", "generated", "seed"] = "all"
    """Which rows."""

    def __post_init__(self) -> None:
        check_choices("export", self)
