"""Shared by the evaluation's tests: the real data, and a small tasks folder."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[3].parent / "shared" / "data"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real headless browser, driven by playwright."""
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = next(
        (path for n in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(n))), None
    )
    if chromium is None:
        pytest.skip("needs chromium, chromium-browser or google-chrome on PATH")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip("needs the real data in ../shared/data")
    return SHARED


def ni_task(**changes: Any) -> dict[str, Any]:
    task: dict[str, Any] = {
        "Definition": ["Name the animal in the sentence."],
        "Categories": ["Extraction"],
        "Positive Examples": [
            {"input": "A dog barks.", "output": "dog", "explanation": ""},
            {"input": "The cat sleeps.", "output": "cat", "explanation": ""},
        ],
        "Negative Examples": [],
        "Instances": [
            {"id": "a-0", "input": "A cow eats.", "output": ["cow", "the cow"]},
            {"id": "a-1", "input": "Look, a hen!", "output": ["hen"]},
            {"id": "a-2", "input": "Foxes run.", "output": ["foxes"]},
        ],
    }
    return {**task, **changes}


@pytest.fixture
def write_tasks(tmp_path: Path) -> Callable[..., Path]:
    """Write task files and a split that lists them: write_tasks(name=content, ...) -> folder."""

    def write(split: str = "default", **tasks: Any) -> Path:
        root = tmp_path / "ni"
        (root / "tasks").mkdir(parents=True, exist_ok=True)
        for name, content in tasks.items():
            text = content if isinstance(content, str) else json.dumps(content)
            (root / "tasks" / f"{name}.json").write_text(text, encoding="utf-8")
        listed = root / "splits" / split / "test_tasks.txt"
        listed.parent.mkdir(parents=True, exist_ok=True)
        listed.write_text("".join(f"{name}\n" for name in tasks), encoding="utf-8")
        return root

    return write
