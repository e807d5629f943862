"""The scripted model and its files, for the tests of this folder."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SHARED = Path(__file__).parents[4] / "shared" / "data"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def scripted() -> ModuleType:
    """The module scripted_lm.py."""
    return _load("scripted_lm")


@pytest.fixture
def world(tmp_path: Path, scripted: ModuleType) -> Path:
    """A folder with seed tasks and templates."""
    scripted.write_world(tmp_path / "world")
    return tmp_path / "world"


@pytest.fixture
def shared() -> Path:
    """The folder of real material that the project did not write."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is absent: real material is not part of the repository")
    return SHARED
