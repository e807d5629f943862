"""Read and write datasets as rows: a run's own, or anyone's file of instruction data.

A file needs the columns instruction, input and output; what else a row tells is filled in where it is missing. The
prompt/completion JSONL of the released code is not read: its templates cannot be taken apart again with certainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..config import Config
from ..core.records import Row
from ..core.row_files import COLUMNS, read_records
from ..generate.dataset import write_dataset

FILE_NAME = "train.parquet"
_OTHERS = tuple(name for name in Row.__dataclass_fields__ if name not in COLUMNS)


def run_dataset(config: Config) -> Path:
    """Return the folder in which `selfinstruct generate` leaves the run's dataset."""
    return Path(config.run_dir) / "dataset"


def find_dataset(config: Config, setting: str, named: str | None) -> Path:
    """Return the dataset that a setting names, or the run's own where it is null.

    Raises:
        ValueError: there is none; the line says how to get one.
    """
    path = run_dataset(config) if named is None else Path(named).expanduser()
    if not path.exists():
        remedy = f"run `selfinstruct generate` first, or set {setting}" if named is None else f"mend {setting}"
        raise ValueError(f"{path}: no dataset there; {remedy}")
    return path


def read_rows(path: str | Path) -> list[Row]:
    """Read the rows of a parquet, JSONL or JSON file, or of a folder of such files, in their order.

    Where a file does not say: ids are row-0, row-1, ... by position; rows of one instruction text share the
    instruction_id, the id of the first of them; `source` is "generated"; not a classification task; all else is empty.

    Raises:
        ValueError: nothing is there, no row is in it, or a row is broken; one line that names the file and the row.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path}: no such file or folder; give a dataset folder or a .parquet, .jsonl or .json file")
    rows: list[Row] = []
    ids: set[str] = set()
    instruction_ids: dict[str, str] = {}
    for position, (location, record) in enumerate(read_records(path, _OTHERS)):
        row = _row(location, record, f"row-{position}", instruction_ids)
        if row.id in ids:
            raise ValueError(f"{location}: id {row.id!r} has a row already; give every row an id of its own")
        ids.add(row.id)
        rows.append(row)
    if not rows:
        raise ValueError(f"{path}: holds no row; give a dataset with at least one")
    return rows


def read_asked(config: Config, setting: str, dataset: str | None, done: str) -> tuple[list[Row], list[Row]]:
    """Read all rows of a dataset, and those of them that a model is asked about: the generated ones.

    Args:
        setting: the dataset's key in the config, "relabel.dataset".
        done: what is done with generated rows only, "relabelled".

    Raises:
        ValueError: there is no dataset, or it holds no generated row.
    """
    path = find_dataset(config, setting, dataset)
    rows = read_rows(path)
    generated = [row for row in rows if row.source == "generated"]
    if not generated:
        raise ValueError(f"{path}: holds no generated row, and only those are {done}; give another dataset")
    return rows, generated


def columns_of(path: str | Path) -> list[str]:
    """Return the columns that any row of a dataset has, of those that `read_rows` knows."""
    return list(dict.fromkeys(name for _, record in read_records(Path(path), _OTHERS) for name in record))


def write_rows(folder: str | Path, rows: Sequence[Row]) -> Path:
    """Write the rows to `folder`/train.parquet, as a run's own dataset is written; return that path."""
    path = Path(folder) / FILE_NAME
    write_dataset(path, rows)
    return path


def _row(location: str, record: dict[str, Any], default_id: str, instruction_ids: dict[str, str]) -> Row:
    given = {name: value for name, value in record.items() if value is not None}
    for name, value in given.items():
        _check_value(location, name, value)
    values: dict[str, Any] = dict.fromkeys(Row.__dataclass_fields__, "")
    values |= {"parents": (), "is_classification": False, "source": "generated", "id": default_id}
    values |= given
    values["parents"] = tuple(values["parents"])
    values["instruction_id"] = given.get("instruction_id") or instruction_ids.setdefault(
        values["instruction"], values["id"]
    )
    return Row(**values)


def _check_value(location: str, name: str, value: Any) -> None:
    if name == "is_classification":
        good, wanted = isinstance(value, bool), "true or false"
    elif name == "parents":
        good, wanted = isinstance(value, list) and all(isinstance(v, str) for v in value), "a list of strings"
    elif name == "source":
        good, wanted = value in ("seed", "generated"), '"seed" or "generated"'
    elif name == "id":
        good, wanted = isinstance(value, str) and value != "", "a string, not empty"
    else:
        good, wanted = isinstance(value, str), "a string"
    if not good:
        raise ValueError(f"{location}: {name!r} is {value!r}; it must be {wanted}")
