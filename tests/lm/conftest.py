"""One small random model for all tests of the backends."""

import os
from pathlib import Path

import pytest

from .small_model import make_model, make_tokenizer

os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    make_model(folder, len(make_tokenizer(folder)))
    return folder
