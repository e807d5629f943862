"""Settings of the export: the dataset in the format of another tool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .ranges import check_choices


@dataclass(frozen=True)
class ExportConfig:
    """`selfinstruct export`: the dataset in the format of another tool, in <run_dir>/export."""

    format: Literal["prompt_completion", "openai_chat", "alpaca", "messages"] = "messages"
    """prompt_completion: JSONL of the released code; openai_chat: JSONL of OpenAI's fine-tuning API; alpaca: JSON list
    of instruction, input, output; messages: parquet of chats for TRL."""
    dataset: str | None = None
    """File or folder of rows; null: the run's dataset."""
    source: Literal["all", "generated", "seed"] = "all"
    """Rows to export, by origin."""

    def __post_init__(self) -> None:
        check_choices("export", self)
