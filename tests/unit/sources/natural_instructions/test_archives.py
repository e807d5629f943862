import json
import zipfile
from pathlib import Path

import pytest

from selfinstruct_train.sources.natural_instructions import archives, open_tasks
from tests.support.ni_tasks import a_task, pack, pack_files

SUFFIXES = [".zip", ".tar", ".tar.gz", ".tgz"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("top", ["natural-instructions-b00871c/", "", "./"])
def test_an_archive_reads_like_its_folder(real_tasks: Path, tmp_path: Path, suffix: str, top: str):
    packed = open_tasks(str(pack(real_tasks, tmp_path / f"ni{suffix}", top)))
    plain = open_tasks(str(real_tasks))
    assert packed.split("real_subset") == plain.split("real_subset")
    for task in packed.split("real_subset"):
        assert packed.read(task) == plain.read(task)
    assert [path.name for path in tmp_path.iterdir()] == [f"ni{suffix}"]
    assert packed.where("task1_a") == f"{tmp_path}/ni{suffix}:tasks/task1_a.json"


def test_a_packed_tar_is_gone_through_once_for_all_listed_tasks(real_tasks: Path, tmp_path: Path, monkeypatch):
    file = pack(real_tasks, tmp_path / "ni.tar.gz")
    opened = []
    original = archives.tarfile.open
    monkeypatch.setattr(archives.tarfile, "open", lambda path: opened.append(path) or original(path))
    tasks = open_tasks(str(file))
    assert len(opened) == 1
    for task in tasks.split("real_subset"):
        tasks.read(task)
    assert len(opened) == 2


def test_a_zip_is_opened_once(real_tasks: Path, tmp_path: Path, monkeypatch):
    file = pack(real_tasks, tmp_path / "ni.zip")
    opened = []
    original = zipfile.ZipFile
    monkeypatch.setattr(archives.zipfile, "ZipFile", lambda path: opened.append(path) or original(path))
    tasks = open_tasks(str(file))
    assert [len(tasks.read(task)["Instances"]) > 0 for task in tasks.split("real_subset")] == [True] * 6
    assert len(opened) == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_no_archive_is_told_in_one_line(tmp_path: Path, suffix: str):
    file = tmp_path / f"ni{suffix}"
    file.write_bytes(b"<html>Not found</html>" * 100)
    with pytest.raises(
        ValueError, match=rf"ni{suffix}: no (zip|tar) archive that can be read \(.*\); get it again"
    ) as e:
        open_tasks(str(file))
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_archive_that_broke_off_is_told_in_one_line(real_tasks: Path, tmp_path: Path, suffix: str):
    file = pack(real_tasks, tmp_path / f"ni{suffix}")
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=rf"ni{suffix}: no (zip|tar) archive that can be read"):
        open_tasks(str(file)).split("real_subset")


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("../tasks/task1_a.json", "'../tasks/task1_a.json', a path that leads out of the archive"),
        ("/tasks/task1_a.json", "a path that leads out"),
        ("ni/src/../../x.py", "a path that leads out"),
        ("other/tasks/task1_a.json", r"tasks in several folders \(ni, other\)"),
    ],
)
def test_a_member_elsewhere_is_refused(tmp_path: Path, suffix: str, member: str, message: str):
    task = json.dumps(a_task()).encode()
    file = pack_files({"ni/tasks/task2_b.json": task, member: task}, tmp_path / f"ni{suffix}")
    with pytest.raises(ValueError, match=message):
        open_tasks(str(file))


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_what_is_too_large_is_refused_before_it_is_unpacked(tmp_path: Path, suffix: str, monkeypatch):
    files = {"splits/own/test_tasks.txt": b"task1_a\n", "tasks/task1_a.json": b" " * 2000}
    file = pack_files(files, tmp_path / f"ni{suffix}")
    monkeypatch.setattr(archives, "MAX_FILE", 1999)
    with pytest.raises(ValueError, match=r"tasks/task1_a.json has 2,000 bytes; a task has at most 1,999"):
        open_tasks(str(file))
    if suffix != ".zip":
        monkeypatch.setattr(archives, "MAX_FILE", 1 << 30)
        monkeypatch.setattr(archives, "MAX_TAR", 2007)
        with pytest.raises(ValueError, match="it is no archive of tasks"):
            open_tasks(str(file))


def test_a_tar_of_very_many_files_is_refused(tmp_path: Path, monkeypatch):
    file = pack_files({f"{number}.txt": b"" for number in range(12)}, tmp_path / "ni.tar")
    monkeypatch.setattr(archives, "MAX_MEMBERS", 10)
    with pytest.raises(ValueError, match="or 10 files; it is no archive of tasks"):
        open_tasks(str(file))


def test_other_files_of_a_repository_are_left_alone(tmp_path: Path):
    task = json.dumps(a_task()).encode()
    files = {
        "ni/README.md": b"x",
        "ni/tasks/README.md": b"x",
        "ni/src/tests/tasks/task9_z.json": b"x",
        "__MACOSX/tasks/task1_a.json": b"x",
        "ni/splits/own/test_tasks.txt": b"task1_a\n",
        "ni/tasks/task1_a.json": task,
    }
    tasks = open_tasks(str(pack_files(files, tmp_path / "ni.zip")))
    assert tasks.split("own") == ["task1_a"]
    assert tasks.read("task1_a") == a_task()
    with pytest.raises(ValueError, match="holds no tasks"):
        open_tasks(str(pack_files({"README.md": b"x"}, tmp_path / "other.zip")))


def test_a_damaged_member_of_a_zip_is_told_in_one_line(tmp_path: Path):
    file = tmp_path / "ni.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("tasks/task1_a.json", json.dumps(a_task()))
    file.write_bytes(file.read_bytes().replace(b"A cow", b"A hen"))
    with pytest.raises(ValueError, match=r"ni.zip:tasks/task1_a.json: cannot be unpacked \(Bad CRC-32"):
        open_tasks(str(file)).read("task1_a")
