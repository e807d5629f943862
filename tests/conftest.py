"""Shared by all rooms of the tests: small models made here, one real server, real material where it is at hand."""

import gc
import json
import os
import shutil
from collections.abc import Callable, Iterator
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import pytest

from selfinstruct_train.config import Config, ModelConfig, TrainConfig
from selfinstruct_train.core.model_source import model_source
from tests.support import small_model
from tests.support.hub_server import HubServer, Store
from tests.support.paths import SHARED
from tests.support.servers import TransformersServe
from tests.support.stub_server import StubServer

os.environ.setdefault("HF_HUB_OFFLINE", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long tests of every worker, file by file, and end with its share of the short ones.

    pytest-xdist gives each worker a stretch of the list, and the last tests of a stretch to whoever has none left:
    these had better be short.
    """
    num_workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    is_long = {item: "integration" in item.path.parts for item in items}
    shares: list[list[pytest.Item]] = [[] for _ in range(num_workers)]
    files = groupby((item for item in items if is_long[item]), key=lambda item: item.path)
    for number, (_, tests) in enumerate(files):
        shares[number % num_workers] += tests
    short = [item for item in items if not is_long[item]]
    for share in shares:
        room = max(0, -(-len(items) // num_workers) - len(share))
        share.extend(short[:room])
        del short[:room]
    items[:] = chain(*shares, short)


@pytest.fixture(scope="module", autouse=True)
def _small_heap() -> None:
    """Let the garbage collector pass over what was there before a module's tests, modules of libraries above all.

    Each training collects several times, and would take seconds to visit millions of objects that stay anyway.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real material that the project did not write."""
    if not SHARED.is_dir():
        pytest.skip("needs the real data in ../shared/data, which is not part of the repository")
    return SHARED


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random model whose distributions are peaked, for the backends."""
    folder = tmp_path_factory.mktemp("llama")
    small_model.make_model(folder, len(small_model.make_tokenizer(folder)))
    return folder


@pytest.fixture(scope="session")
def kind_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a model of `small_model.KINDS`, made when it is first asked for."""
    made: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in made:
            made[kind] = small_model.make_kind(kind, tmp_path_factory.mktemp(kind))
        return made[kind]

    return folder


@pytest.fixture(scope="session")
def gguf_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in tiny model as a GGUF file in float32, alone in its folder."""
    return _write_tiny_gguf(tmp_path_factory, "tiny-F32.gguf")


@pytest.fixture(scope="session")
def quantized_gguf_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with its matrices in Q8_0."""
    return _write_tiny_gguf(tmp_path_factory, "tiny-Q8_0.gguf")


def _write_tiny_gguf(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    from tests.servers.write_gguf import write

    file = tmp_path_factory.mktemp("gguf") / name
    write(Path(model_source("builtin:tiny")), file, is_quantized="Q8_0" in name)
    return file


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TransformersServe]:
    """One real server for the session; it loads the model that it is asked for."""
    server = TransformersServe(tmp_path_factory.mktemp("serve"))
    yield server
    server.stop()


@pytest.fixture
def stub() -> Iterator[StubServer]:
    server = StubServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random model as a base to train."""
    folder = tmp_path_factory.mktemp("base")
    small_model.make_model(folder, len(small_model.make_tokenizer(folder)), initializer_range=0.05, head_dim=12)
    return folder


@pytest.fixture(scope="session")
def tokenizer(base_folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(base_folder)


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
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
def make_config(base_folder: Path, rows_file: Path, tmp_path: Path) -> Callable[..., Config]:
    """make_config(setting=value of the section train, ...) -> the configuration of a training of `base_folder`."""

    def make(**train: Any) -> Config:
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


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def hub(store) -> Iterator[HubServer]:
    server = HubServer(store)
    yield server
    server.kill()


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
