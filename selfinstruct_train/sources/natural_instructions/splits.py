"""The official splits of Natural Instructions, and the refusal of a list that only has their name.

Other versions of the same files list other tasks, and scores on them cannot be compared with published ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBERED = re.compile(r"task(\d+)_")


def _numbers(text: str) -> frozenset[int]:
    return frozenset(int(number) for number in text.split())


OFFICIAL_NUMBERS = {
    # allenai/natural-instructions, splits/default/test_tasks.txt at b00871c954282e35d14de77c546918ee8b9d90da
    "default": _numbers("""
        20 33 34 35 36 39 50 102 121 133 190 199 200 201 202 219 220 226 232 233 242 249 281 288 290 304 329 330 349 362
        391 392 393 401 402 418 442 500 510 520 569 602 613 614 619 620 623 640 641 642 645 648 670 671 677 738 743 760
        769 827 828 879 880 890 891 892 893 935 936 937 957 970 1152 1153 1154 1155 1156 1157 1158 1159 1161 1195 1342
        1344 1345 1356 1358 1385 1386 1387 1388 1390 1391 1393 1394 1407 1409 1439 1442 1516 1529 1531 1533 1534 1540
        1554 1557 1562 1586 1598 1612 1615 1622 1624 1631 1640 1659 1664 1728"""),
    # splits/xlingual/test_tasks.txt at d82b17a92071928131d230eaa9ddd4170fca8934; the same, with other names, at
    # 082181fa2a620a90d88bf941017cd8ac547859f5
    "xlingual": _numbers("""
        396 463 464 534 938 939 940 941 942 943 968 969 1168 1169 1170 1171 1172 1173 1174 1175 1176 1177 1178 1179 1180
        1181 1182 1183 1184 1185 1561 1626 1627 1628 1629"""),
}
"""The test tasks of the two official splits by number, which stays when a task is renamed."""
# splits/default/test_tasks.txt at 83acedcb40ab0d7ab0b7c0ca350b590efbc2ea98, before the 119 were chosen
_OLD_NUMBERS = _numbers("""
    39 43 63 91 93 98 99 105 108 141 155 157 159 176 181 218 288 326 352 360 361 366 428 583 874 905 1212 1291 1319 1331
    1346 1428 1500""")


def task_number(task: str) -> int | None:
    """Return the number in an official task's name."""
    match = _NUMBERED.match(task)
    return int(match[1]) if match else None


def check_official(where: str, split: str, tasks: Sequence[str]) -> None:
    """Refuse a list of test tasks that has the name of an official split but is another list of official tasks.

    Official tasks are known by their numbers; a list of which less than a quarter are those is somebody's own.

    Raises:
        ValueError: naming what it is instead.
    """
    if split not in OFFICIAL_NUMBERS:
        return
    numbers = {number for task in tasks if (number := task_number(task)) is not None}
    official = OFFICIAL_NUMBERS[split]
    if numbers == official and len(tasks) == len(official):
        return
    remedy = official_remedy(split)
    if numbers == _OLD_NUMBERS:
        raise ValueError(
            f"{where}: this is the older list of {len(_OLD_NUMBERS)} tasks, not the official {len(official)} that "
            f"published scores are of; {remedy}"
        )
    known = _OLD_NUMBERS.union(*OFFICIAL_NUMBERS.values())
    if 4 * len(numbers & known) < len(tasks):
        return
    differences = {"lacks": official - numbers, "has besides": numbers - official}
    told = "; ".join(f"it {what} {some([f'task{n}' for n in sorted(d)])}" for what, d in differences.items() if d)
    raise ValueError(
        f"{where}: {len(tasks)} tasks, but the official split {split!r} has {len(official)}"
        f"{f' ({told})' if told else ''}; {remedy}"
    )


def official_remedy(split: str, part: str = "test") -> str:
    """Return what to do where a list of a split, or a task of it, is not what its name says."""
    archive = "the archive of the whole repository, allenai/natural-instructions, has it; "
    official = {
        "default": "`selfinstruct data` gets the official test tasks; " if part == "test" else archive,
        "xlingual": archive,
    }
    return official.get(split, "") + "a list of your own needs a name of its own"


def some(names: Sequence[str], number: int = 5) -> str:
    """Return a few of the names and how many more there are."""
    rest = len(names) - number
    return ", ".join(names[:number]) + (f" and {rest} more" if rest > 0 else "")
