"""Requests with a shared prefix for the small models of `small_model`, and the door to these on a CPU."""

from pathlib import Path

from selfinstruct_train.config import ModelConfig
from selfinstruct_train.core.records import Request
from selfinstruct_train.lm import LM, load_lm

SHARED = "Task: Sort the words.\nInput: red, blue, green\nOutput: blue, green, red\n\nTask: "


def open_lm(folder: Path, batch_size: int = 32) -> LM:
    return load_lm(ModelConfig(path=str(folder), device="cpu", batch_size=batch_size))


def requests(count: int = 12) -> list[Request]:
    texts = ("Name three animals", "Write one sentence about rain in spring", "The dog")
    return [Request(str(i), f"{SHARED}{texts[i % 3]} {i}", i) for i in range(count)]
