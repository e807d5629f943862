import json
import logging

import pytest

from selfinstruct_train.sources.natural_instructions import open_tasks, read_instances
from tests.support.ni_tasks import a_task


def test_a_split_lists_its_tasks_in_order_and_each_is_read(folder):
    tasks = open_tasks(str(folder(["task2_b", "task1_a"])))
    assert tasks.split("own") == ["task2_b", "task1_a"]
    assert tasks.read("task1_a") == a_task()


def test_a_training_list_is_read_unless_it_holds_test_tasks(folder):
    root = folder(["task1_a"])
    folder(["task2_b", "task3_c"], part="train")
    assert open_tasks(str(root)).split("own", "train") == ["task2_b", "task3_c"]
    folder(["task2_b"], listed=["task2_b", "task1_a"], part="train")
    with pytest.raises(ValueError, match="train_tasks.txt: task1_a is a test task too"):
        open_tasks(str(root)).split("own", "train")
    with pytest.raises(
        ValueError, match=r"excluded_tasks.txt: no such file; splits with excluded tasks: \(there is none\)"
    ):
        open_tasks(str(root)).split("own", "excluded")


def test_training_tasks_that_are_not_there_are_not_looked_for_where_only_test_tasks_are(folder):
    root = folder(["task2_b"], split="default")
    folder(["task3_c"], split="mine", part="train")
    remedy = "the archive of the whole repository, allenai/natural-instructions, has it; a list of your own"
    with pytest.raises(ValueError, match=rf"train_tasks.txt: no such file; splits with train tasks: mine; {remedy}"):
        open_tasks(str(root)).split("default", "train")
    folder([], listed=["task4_d", "task5_e"], split="default", part="train")
    with pytest.raises(ValueError, match=f"are missing: task4_d, task5_e; {remedy}"):
        open_tasks(str(root)).split("default", "train")


def test_a_renamed_task_is_found_by_its_number_and_told_once(folder, caplog):
    root = folder(["task039_new_name"], listed=["task39_old_name"])
    tasks = open_tasks(str(root))
    with caplog.at_level(logging.INFO):
        assert tasks.split("own") == ["task39_old_name"]
        assert tasks.read("task39_old_name") == a_task()
    assert caplog.messages == [f"{root}: task39_old_name is there as tasks/task039_new_name.json"]
    assert tasks.where("task39_old_name") == str(root / "tasks/task039_new_name.json")


def test_two_tasks_of_a_number_are_not_guessed_between(folder):
    root = folder(["task5_x", "task5_y"], listed=["task5_z"])
    with pytest.raises(ValueError, match=r"task5_z.json: no such file, .* several: tasks/task5_x.json, tasks/task5_y"):
        open_tasks(str(root)).split("own")
    assert open_tasks(str(folder(["task5_x", "task5_y"]))).split("own") == ["task5_x", "task5_y"]


def test_missing_tasks_are_told_in_one_line(folder, real_tasks):
    root = folder(["task1_a"], listed=["task1_a", "task2_b", "task3_c"])
    with pytest.raises(
        ValueError, match=r"ni/tasks: 2 of the 3 tasks that splits/own/.* are missing: task2_b, task3_c; a list"
    ):
        open_tasks(str(root)).split("own")
    with pytest.raises(
        ValueError, match=r"117 of the 119 tasks that .* task1356_xlsum_.* 112 more; `selfinstruct data` gets"
    ):
        open_tasks(str(real_tasks)).split("default")
    with pytest.raises(
        ValueError, match=r"xlingual/test_tasks.txt: no such file; eval.split may be: default, real_subset"
    ):
        open_tasks(str(real_tasks)).split("xlingual")


def test_what_is_no_source_is_told_in_one_line(tmp_path):
    with pytest.raises(ValueError, match="nowhere: no such folder or archive"):
        open_tasks(str(tmp_path / "nowhere"))
    (tmp_path / "tasks.rar").write_text("")
    with pytest.raises(ValueError, match=r"tasks.rar: neither a folder nor an archive \(.zip, .tar, .tar.gz, .tgz\)"):
        open_tasks(str(tmp_path / "tasks.rar"))


def test_instances_of_another_shape_are_refused():
    task = a_task(Instances=[{"input": "x", "output": ["y"]}, {"id": "b", "input": "x", "output": []}])
    assert [i.id for i in read_instances("there", "t", task, 1)] == ["t-0"]
    with pytest.raises(ValueError, match="there: instance 1 has no reference"):
        list(read_instances("there", "t", task))


def test_the_mark_that_some_editors_put_in_front_is_no_part_of_a_name(folder):
    root = folder(["task1_a", "task2_b"])
    for path in (root / "splits/own/test_tasks.txt", root / "tasks/task1_a.json"):
        path.write_text(path.read_text(), encoding="utf-8-sig")
    tasks = open_tasks(str(root))
    assert tasks.split("own") == ["task1_a", "task2_b"]
    assert tasks.read("task1_a") == a_task()


def test_a_file_that_is_no_utf8_is_refused(folder):
    root = folder(["task1_a"])
    (root / "tasks/task1_a.json").write_bytes(json.dumps(a_task()).encode() + b"\xff")
    with pytest.raises(ValueError, match=r"task1_a.json: not UTF-8 text \(invalid start byte"):
        open_tasks(str(root)).read("task1_a")
