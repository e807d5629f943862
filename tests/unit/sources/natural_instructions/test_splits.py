import hashlib

import pytest

from selfinstruct_train.sources.natural_instructions import OFFICIAL_NUMBERS, open_tasks
from selfinstruct_train.sources.natural_instructions.splits import check_official, task_number

# sha256 of the sorted numbers, joined by spaces, of the lists at the commits that splits.py names
SHA256 = {
    "default": (119, "f808af24884e1d1a7a58b4875c9aa3dc0071d1e0458c2ce065f2626f27b9251f"),
    "xlingual": (35, "4cce4204a62ed35c218848d71fbb6d25fdac8ccf658b2400ad89d39fd5928d61"),
}
OLD = (
    "39 43 63 91 93 98 99 105 108 141 155 157 159 176 181 218 288 326 352 360 361 366 428 583 874 905 1212 1291 1319 "
    "1331 1346 1428 1500"
)


def names(numbers):
    return [f"task{number:03}_some_name" for number in numbers]


@pytest.mark.parametrize("split", SHA256)
def test_the_official_numbers_are_those_of_the_pinned_lists(split):
    numbers = sorted(OFFICIAL_NUMBERS[split])
    digest = hashlib.sha256(" ".join(map(str, numbers)).encode()).hexdigest()
    assert (len(numbers), digest) == SHA256[split]


def test_the_official_file_has_the_official_numbers(real_tasks):
    listed = (real_tasks / "splits/default/test_tasks.txt").read_text().split()
    assert {task_number(name) for name in listed} == OFFICIAL_NUMBERS["default"]
    check_official("there", "default", listed)


def test_names_may_change_and_numbers_may_not():
    check_official("there", "default", names(OFFICIAL_NUMBERS["default"]))
    changed = names(sorted(OFFICIAL_NUMBERS["default"] - {20} | {21}))
    with pytest.raises(
        ValueError, match=r"119 tasks, .* has 119 \(it lacks task20; it has besides task21\); `selfinstruct data`"
    ):
        check_official("there", "default", changed)


def test_the_list_of_33_tasks_is_recognised_and_refused(folder):
    old = names(map(int, OLD.split()))
    root = folder(old, split="default")
    with pytest.raises(
        ValueError, match=r"older list of 33 tasks, not the official 119 .* `selfinstruct data` gets"
    ) as error:
        open_tasks(str(root)).split("default")
    assert str(root) in str(error.value) and "\n" not in str(error.value)
    folder(old, split="my_33")
    assert len(open_tasks(str(root)).split("my_33")) == 33


@pytest.mark.parametrize("split", ["default", "xlingual"])
def test_a_part_of_an_official_list_needs_another_name(split):
    part = names(sorted(OFFICIAL_NUMBERS[split])[1:])
    with pytest.raises(ValueError, match=rf"the official split '{split}' has {len(part) + 1} \(it lacks task\d+\)"):
        check_official("there", split, part)
    check_official("there", "mine", part)
    other = "xlingual" if split == "default" else "default"
    with pytest.raises(ValueError, match=rf"the official split '{other}' has"):
        check_official("there", other, part)


def test_a_list_of_somebodys_own_tasks_is_left_alone():
    check_official("there", "default", names(range(1, 57)))  # eight of the numbers are official ones
    check_official("there", "default", ["animals", "plants"])
