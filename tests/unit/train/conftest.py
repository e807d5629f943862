"""The small random model of the backend tests, as a base to train, and rows to train it on."""

import importlib.util
import json
import os
from pathlib import Path

import pytest

from selfinstruct_train.config import Config, ModelConfig, TrainConfig

os.environ.setdefault("HF_HUB_OFFLINE", "1")

_SPEC = importlib.util.spec_from_file_location("small_model", Path(__file__).parents[1] / "lm" / "small_model.py")
small_model = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(small_model)

REAL_DATA = Path(__file__).parents[4] / "shared" / "data" / "self_instruct_5k.jsonl"


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    small_model.make_model(folder, len(small_model.make_tokenizer(folder)), initializer_range=0.05, head_dim=12)
    return folder


@pytest.fixture(scope="session")
def tokenizer(base_folder):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(base_folder)


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory) -> Path:
    """Sixty rows with something to learn: the answer is the input's first word."""
    colours, animals = ("red", "blue", "green", "black", "white"), ("cat", "dog", "cow", "hen", "fox", "owl")
    file = tmp_path_factory.mktemp("data") / "rows.jsonl"
    rows = [
        {"instruction": f"Name the {n}th colour.", "input": f"{c} {a}", "output": c}
        for n in (1, 2)
        for c in colours
        for a in animals
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture
def make_config(base_folder, rows_file, tmp_path):
    def make(**train) -> Config:
        settings = {
            "dataset": str(rows_file),
            "learning_rate": 5e-3,
            "batch_size": 8,
            "per_device_batch_size": 4,
            "max_length": 128,
            "template": "fixed",
        }
        return Config(
            run_dir=str(tmp_path / "run"),
            model=ModelConfig(path=str(base_folder), device="cpu"),
            train=TrainConfig(**(settings | train)),
        )

    return make
