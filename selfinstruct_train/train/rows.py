"""Training rows: from the run's own dataset, or from a file or folder of anyone's with the same three columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import Config

COLUMNS = ("instruction", "input", "output")
SUFFIXES = (".parquet", ".jsonl", ".json")


@dataclass(frozen=True)
class Row:
    """An instruction, its input (may be empty), the output to learn; `source` is "seed", "generated" or empty."""

    instruction: str
    input: str
    output: str
    source: str = ""


def read_training_rows(config: Config, mixture: str) -> list[Row]:
    """Read the rows of a mixture, in the order of the file.

    Raises:
        ValueError: there is no dataset, it cannot be read, or it has no row for this mixture.
    """
    own = config.train.dataset is None
    path = Path(config.run_dir) / "dataset" if config.train.dataset is None else Path(config.train.dataset).expanduser()
    if not path.exists():
        remedy = "run recipes/generate.py first, or set train.dataset" if own else "mend train.dataset"
        raise ValueError(f"{path}: no dataset there; {remedy}")
    rows = [row for file in _files(path) for row in _read(file)]
    if not rows:
        raise ValueError(f"{path}: the dataset is empty; training needs at least one row")
    if mixture == "seeds+generated":
        return rows
    seeds = [row for row in rows if row.source == "seed"]
    if not seeds:
        raise ValueError(
            f'{path}: no row has source "seed", which mixture "seeds" needs; take it out of train.mixtures'
        )
    return seeds


def _files(path: Path) -> list[Path]:
    if path.is_file():
        if path.suffix not in SUFFIXES:
            raise ValueError(
                f"{path}: {path.suffix or 'no'} suffix; training data are {', '.join(SUFFIXES)} or a folder"
            )
        return [path]
    files = [file for suffix in SUFFIXES for file in sorted(path.rglob(f"*{suffix}")) if not _is_hidden(file, path)]
    if not files:
        raise ValueError(f"{path}: no {', '.join(SUFFIXES)} file in this folder")
    if len({file.suffix for file in files}) > 1:
        raise ValueError(f"{path}: files of several kinds ({files[0].name}, {files[-1].name}); name the one to read")
    return files


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def _read(file: Path) -> Iterator[Row]:
    for place, record in _records(file):
        if not isinstance(record, dict):
            raise ValueError(f"{place}: not an object; each row needs the columns {', '.join(COLUMNS)}")
        missing = [column for column in COLUMNS if column not in record]
        if missing:
            raise ValueError(f"{place}: column {missing[0]!r} is missing; each row needs {', '.join(COLUMNS)}")
        values = {column: record[column] for column in COLUMNS}
        if values["input"] is None:
            values["input"] = ""
        for column, value in values.items():
            if not isinstance(value, str):
                raise ValueError(f"{place}: {column!r} is {value!r}; it must be a string")
        source = record.get("source")
        yield Row(**values, source=source if isinstance(source, str) else "")


def _records(file: Path) -> Iterator[tuple[str, Any]]:
    """Yield the place (for messages) and the content of each record."""
    if file.suffix == ".parquet":
        yield from _parquet_records(file)
    elif file.suffix == ".jsonl":
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{file}:{number}", _parsed(line, f"{file}:{number}")
    else:
        content = _parsed(file.read_text(encoding="utf-8"), str(file))
        if not isinstance(content, list):
            raise ValueError(f"{file}: not a list of rows; one object a line is .jsonl")
        for number, record in enumerate(content):
            yield f"{file}[{number}]", record


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{place}: not JSON: {error}") from error


def _parquet_records(file: Path) -> Iterator[tuple[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(file)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{file}: cannot be read as parquet: {' '.join(str(error).split())}") from error
    wanted = [column for column in (*COLUMNS, "source") if column in table.column_names]
    for number, record in enumerate(table.select(wanted).to_pylist()):
        yield f"{file} row {number}", record
