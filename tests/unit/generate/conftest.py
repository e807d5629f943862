"""The files that a run of the scripted model reads."""

from pathlib import Path

import pytest

from tests.support import scripted_lm


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A folder with seed tasks and templates."""
    scripted_lm.write_world(tmp_path / "world")
    return tmp_path / "world"
