"""The dataset: readable by the datasets library, the same bytes every time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from selfinstruct_train.core.records import Instruction, Pair, Row, SeedTask
from selfinstruct_train.generate.dataset import dataset_rows, write_dataset
from selfinstruct_train.generate.self_instruct.instances import InstanceOutcome

SEEDS = [SeedTask("s", "Add.", (Pair("1 1", "2"), Pair("", "0")), False)]
INSTRUCTIONS = [
    Instruction("g0", "Name it.", "generated", "r0", ("s", "g9")),
    Instruction("g1", "Sort it.", "generated", "r1", ("s",)),
]
OUTCOMES = [
    InstanceOutcome("g0-0", "g0", "x0", "in", "", "no_output", "length"),
    InstanceOutcome("g0-1", "g0", "x0", "in\n猫", "out", "kept", "length"),
    InstanceOutcome("g1-0", "g1", "x1", "", "A", "kept", "stop"),
]
EXPECTED = [
    Row("s-0", "Add.", "1 1", "2", False, "seed", "s", "", "", (), ""),
    Row("s-1", "Add.", "", "0", False, "seed", "s", "", "", (), ""),
    Row("g0-1", "Name it.", "in\n猫", "out", False, "generated", "g0", "r0", "x0", ("s", "g9"), "length"),
    Row("g1-0", "Sort it.", "", "A", True, "generated", "g1", "r1", "x1", ("s",), "stop"),
]


def test_seeds_come_first_then_kept_instances_each_with_its_provenance() -> None:
    assert dataset_rows(SEEDS, INSTRUCTIONS, [False, True], OUTCOMES) == EXPECTED


def test_load_dataset_reads_the_folder_even_beside_what_a_killed_writer_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    write_dataset(tmp_path / "dataset/train.parquet", EXPECTED)
    (tmp_path / "dataset/.train.parquet.tmp").write_bytes(b"half")
    loaded = datasets.load_dataset(str(tmp_path / "dataset"), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.column_names == [
        "id", "instruction", "input", "output", "is_classification", "source", "instruction_id", "request_id",
        "instance_request_id", "parents", "finish_reason",
    ]  # fmt: skip
    assert [Row(**{**row, "parents": tuple(row["parents"])}) for row in loaded] == EXPECTED


def test_the_bytes_are_the_same_in_another_process_with_another_hash_seed(tmp_path: Path) -> None:
    write_dataset(tmp_path / "here.parquet", EXPECTED)
    code = (
        "import sys; from pathlib import Path; from selfinstruct_train.core.records import Row\n"
        "from selfinstruct_train.generate.dataset import write_dataset\n"
        f"write_dataset(Path(sys.argv[1]), {EXPECTED!r})"
    )
    environment = {"PYTHONHASHSEED": "12345", "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "there.parquet")], env=environment, check=True)
    assert (tmp_path / "here.parquet").read_bytes() == (tmp_path / "there.parquet").read_bytes()


def test_a_dataset_without_parents_has_the_same_columns_and_types(tmp_path: Path) -> None:
    import pyarrow.parquet

    write_dataset(tmp_path / "seeds.parquet", EXPECTED[:2])
    write_dataset(tmp_path / "all.parquet", EXPECTED)
    schemas = [pyarrow.parquet.read_schema(tmp_path / f"{name}.parquet") for name in ("seeds", "all")]
    assert schemas[0].equals(schemas[1])
