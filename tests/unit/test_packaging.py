"""A wheel holds every module and data file, and the map of docs/architecture.md names every folder."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked(*folders: str) -> list[str]:
    out = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True)
    return out.stdout.splitlines()


def test_the_wheel_holds_every_module_and_data_file(tmp_path):
    source = tmp_path / "source"
    for name in [*tracked("selfinstruct_train", "eval"), "pyproject.toml", "README.md", "LICENSE"]:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q", "-w", str(tmp_path), "."]
    subprocess.run(build, cwd=source, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    files = [
        f.replace("eval/", "selfinstruct_eval/", 1) if f.startswith("eval/") else f
        for f in tracked("selfinstruct_train", "eval")
    ]
    assert len(files) > 60
    missing = [f for f in files if f not in inside]
    assert missing == []
    assert any(f.endswith("model.safetensors") for f in inside)


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
