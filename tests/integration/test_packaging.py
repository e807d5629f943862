"""A wheel holds every module, data file and config, and the map of docs/architecture.md names every folder."""

import tomllib
from email.message import Message
from email.parser import Parser

import pytest

import selfinstruct_train
from tests.support.paths import ROOT, tracked_files


def tracked(*folders: str) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in tracked_files(*folders)]


@pytest.fixture
def metadata(wheel) -> Message:
    (name,) = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_the_wheel_holds_every_module_data_file_and_config_and_nothing_else(wheel):
    moved = {"eval": "selfinstruct_eval", "configs": "selfinstruct_train/configs", "selfinstruct_train": ""}
    files = {
        f"{moved[folder]}/{rest}".lstrip("/") if moved[folder] else name
        for name in tracked(*moved)
        for folder, _, rest in [name.partition("/")]
    }
    assert len([f for f in files if f.startswith("selfinstruct_train/configs/")]) > 20
    assert len(files) > 250
    inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert inside == files
    assert any(f.endswith("model.safetensors") for f in inside)
    assert {"selfinstruct_train/py.typed", "selfinstruct_eval/py.typed"} <= inside


def test_the_wheel_tells_its_version_authors_and_where_it_comes_from(metadata):
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (metadata["Name"], metadata["Version"]) == ("selfinstruct-train", declared["version"])
    assert metadata["Author"] == "The selfinstruct-train authors"
    assert metadata["License-Expression"] == "Apache-2.0"
    urls = dict(line.split(", ") for line in metadata.get_all("Project-URL", []))
    assert urls["Repository"] == "https://github.com/selfinstruct-train/selfinstruct-train"
    classifiers = metadata.get_all("Classifier", [])
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)} <= set(classifiers)
    assert "Typing :: Typed" in classifiers
    assert set(metadata.get_all("Provides-Extra", [])) == set(declared["optional-dependencies"])


def test_the_package_tells_the_version_that_is_installed():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert selfinstruct_train.__version__ == declared


def test_the_map_of_the_architecture_page_is_the_tree():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    table = text[text.index("## Map") :].split("\n## ")[0]
    named = {line.split("|")[1].strip().strip("`") for line in table.splitlines() if line.startswith("| `")}
    assert len(named) > 30
    for name in named:
        assert (ROOT / name).exists(), f"the map names {name}, which is not there"
    files = [f for f in tracked() if not f.startswith(".")]
    top = {f.split("/")[0] + ("/" if "/" in f else "") for f in files if f.count("/") or "." in f or f == "LICENSE"}
    rooms = {f.rsplit("/", 1)[0] + "/" for f in files if f.endswith(".py") and f.startswith("selfinstruct_train/")}
    parts = {"/".join(f.split("/")[:2]) + "/" for f in files if f.startswith("eval/") and f.count("/") > 1}
    covered = {"selfinstruct_train/", "selfinstruct_train/sources/natural_instructions/"}
    assert (top | rooms | parts) - named - covered == set()
