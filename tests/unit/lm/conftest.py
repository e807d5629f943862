"""Small models for all tests of the backends, and one real server that serves them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .servers import TransformersServe
from .small_model import make_kind, make_model, make_tokenizer
from .stub_server import StubServer

os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    make_model(folder, len(make_tokenizer(folder)))
    return folder


@pytest.fixture(scope="session")
def kind_folder(tmp_path_factory) -> Callable[[str], Path]:
    """The folder of a model of `small_model.KINDS`, made when it is first asked for."""
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            made[kind] = make_kind(kind, tmp_path_factory.mktemp(kind))
        return made[kind]

    return folder


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Iterator[TransformersServe]:
    server = TransformersServe(tmp_path_factory.mktemp("serve"))
    yield server
    server.stop()


@pytest.fixture
def stub() -> Iterator[StubServer]:
    server = StubServer()
    yield server
    server.stop()
