"""Rows of instruction data on disk, anyone's: a parquet, JSONL or JSON file, or a folder of one kind of these.

Each record comes with its location, so that whoever reads on can name the line of a fault. Only the three columns that
every row needs are checked here; the training and the dataset tools make their own rows of the records.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

COLUMNS = ("instruction", "input", "output")
SUFFIXES = (".parquet", ".jsonl", ".json")

Record = dict[str, Any]


def read_records(path: Path, others: Sequence[str] = ()) -> Iterator[tuple[str, Record]]:
    """Yield (location, record) for each row, in the order of the files; an input of null is an empty one.

    Args:
        others: columns wanted besides `COLUMNS`, where they are there; nothing is known of their values.

    Raises:
        ValueError: nothing readable is at `path`, or a record lacks one of `COLUMNS` or holds no text there; one line
            that names the file and the line or row.
    """
    for file in row_files(path):
        for location, record in raw_records(file, (*COLUMNS, *others)):
            if not isinstance(record, dict):
                raise ValueError(f"{location}: not an object; each row needs the columns {', '.join(COLUMNS)}")
            missing = [column for column in COLUMNS if column not in record]
            if missing:
                raise ValueError(f"{location}: column {missing[0]!r} is missing; each row needs {', '.join(COLUMNS)}")
            checked = {column: record[column] for column in (*COLUMNS, *others) if column in record}
            if checked["input"] is None:
                checked["input"] = ""
            for column in COLUMNS:
                if not isinstance(checked[column], str):
                    raise ValueError(f"{location}: {column!r} is {checked[column]!r}; it must be a string")
                if not is_unicode(checked[column]):
                    raise ValueError(
                        f"{location}: {column!r} holds half a surrogate pair, which is no text; mend the row"
                    )
            yield location, checked


def is_unicode(text: str) -> bool:
    """Whether UTF-8 can hold it; JSON's escapes can name halves of surrogate pairs, which no file can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def row_files(path: Path) -> list[Path]:
    """Return the file itself, or the files of rows in a folder, all of one kind, in order of their names.

    Raises:
        ValueError: there is none, or they are of several kinds.
    """
    if path.is_file():
        if path.suffix not in SUFFIXES:
            raise ValueError(f"{path}: {path.suffix or 'no'} suffix; rows are {', '.join(SUFFIXES)} or a folder")
        return [path]
    files = [file for suffix in SUFFIXES for file in sorted(path.rglob(f"*{suffix}")) if not _is_hidden(file, path)]
    if not files:
        raise ValueError(f"{path}: no {', '.join(SUFFIXES)} file in this folder")
    if len({file.suffix for file in files}) > 1:
        raise ValueError(f"{path}: files of several kinds ({files[0].name}, {files[-1].name}); name the one to read")
    return files


def _is_hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def raw_records(file: Path, columns: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield (location, value) for each row of one file, of parquet only these columns, where they are there.

    Raises:
        ValueError: it cannot be read; one line that names the file and the line or row.
    """
    if file.suffix == ".parquet":
        yield from _parquet_records(file, columns)
    elif file.suffix == ".jsonl":
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{file}:{number}", _parsed(line, f"{file}:{number}")
    else:
        content = _parsed(file.read_bytes(), str(file))
        if not isinstance(content, list):
            raise ValueError(f"{file}: not a list of rows; one object a line is .jsonl")
        for number, record in enumerate(content):
            yield f"{file}[{number}]", record


def _parsed(content: bytes, location: str) -> Any:
    try:
        return json.loads(content.decode("utf-8"))
    except ValueError as error:
        raise ValueError(f"{location}: not JSON: {error}") from error


def _parquet_records(file: Path, columns: Sequence[str]) -> Iterator[tuple[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(file)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{file}: cannot be read as parquet: {' '.join(str(error).split())}") from error
    wanted = [column for column in columns if column in table.column_names]
    for number, record in enumerate(table.select(wanted).to_pylist()):
        yield f"{file} row {number}", record
