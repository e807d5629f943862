"""The real models, a test for each; and the table of times at the end."""

from __future__ import annotations

import pytest

from tests.support.paths import REAL_MODELS

MODELS = ("gemma-3-270m", "smollm2-135m-instruct")
"""A base model with sliding windows and a vocabulary of 262,144; a chat model."""
TIMES = pytest.StashKey[dict[str, dict[str, str]]]()


@pytest.fixture(scope="session", params=MODELS)
def real_model(request: pytest.FixtureRequest) -> str:
    """The folder of a real model; its tests are skipped where it is not."""
    folder = REAL_MODELS / request.param
    if not (folder / "config.json").is_file():
        pytest.skip(f"{folder} holds no model; REAL_MODELS names the folder that holds {' and '.join(MODELS)}")
    return str(folder.resolve())


@pytest.fixture(scope="session")
def times(request: pytest.FixtureRequest) -> dict[str, dict[str, str]]:
    """By model and step, what the table at the end shows."""
    return request.config.stash.setdefault(TIMES, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print a row for each model."""
    rows = config.stash.get(TIMES, {})
    if not rows:
        return
    steps = list(dict.fromkeys(step for row in rows.values() for step in row))
    table = [["model", *steps], *([model, *(row.get(step, "") for step in steps)] for model, row in rows.items())]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    terminalreporter.section("the loop on real models")
    for cells in table:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        terminalreporter.write_line(line.rstrip())
