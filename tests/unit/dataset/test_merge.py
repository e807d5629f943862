"""Merging: who keeps what, which instances join, new ids, the ledger."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct_train.core.records import Row
from selfinstruct_train.dataset.merge import Source, merge, merge_table, read_sources, write_merged
from selfinstruct_train.dataset.rows import read_rows
from tests.support.cli import run_cli

RIVERS = "Name three long rivers of the world."
BREAD = "Explain how bread is baked in Paris."


def row(id: str, instruction: str, input: str = "", output: str = "out", source: str = "generated") -> Row:
    instruction_id = id.rpartition("-")[0]
    told = {"request_id": "r-1", "instance_request_id": "i-1", "parents": ("s", "g0")} if source == "generated" else {}
    plain = dict.fromkeys(Row.__dataclass_fields__, "") | {"is_classification": False, "parents": ()}
    values = plain | told | {"id": id, "instruction": instruction, "input": input, "output": output}
    return Row(**{**values, "source": source, "instruction_id": instruction_id})


SEED = row("s-0", "Say hello to my friend.", source="seed")
A = Source("a", [SEED, row("g0-0", RIVERS), row("g1-0", BREAD, "with salt", "so")])


def verdicts(merged) -> dict[str, str]:
    return {outcome.id: outcome.verdict for outcome in merged.outcomes}


def test_seed_rows_come_first_and_once():
    other = row("t-0", "Count to ten.", source="seed")
    b = Source("b", [replace(SEED, id="x-0", instruction_id="x"), other, row("g0-0", "Praise the rain.")])
    merged = merge([A, b])
    assert [r.id for r in merged.rows] == ["a/s-0", "b/t-0", "a/g0-0", "a/g1-0", "b/g0-0"]
    assert verdicts(merged)["b/x-0"] == "duplicate"


def test_a_later_instruction_too_similar_to_an_earlier_one_goes_with_all_its_rows():
    near = "Name three long rivers of the continent."  # 6 of 7 tokens in common
    b = Source("b", [row("g0-0", near, "1"), row("g0-1", near, "2"), row("g1-0", "Sing a song.")])
    merged = merge([A, b])
    assert verdicts(merged) == {
        "a/s-0": "kept", "a/g0-0": "kept", "a/g1-0": "kept",
        "b/g0-0": "too_similar", "b/g0-1": "too_similar", "b/g1-0": "kept",
    }  # fmt: skip
    outcome = next(f for f in merged.outcomes if f.id == "b/g0-0")
    assert (outcome.nearest, round(outcome.rouge_l, 4)) == (RIVERS, 0.8571)
    assert verdicts(merge([A, b], threshold=0.9))["b/g0-0"] == "kept"


def test_a_copy_of_any_datasets_seed_goes_even_from_the_first():
    b = Source("b", [row("t-0", BREAD, source="seed"), row("g0-0", "Sing a song.")])
    assert verdicts(merge([A, b]))["a/g1-0"] == "too_similar"


def test_instructions_of_one_dataset_are_not_compared_with_each_other():
    near = row("g2-0", "Name three long rivers of the continent.")
    assert verdicts(merge([Source("a", [*A.rows, near])]))["a/g2-0"] == "kept"


def test_copies_in_other_scripts_are_found():
    texts = {"zh": "请写一首关于春天的诗。", "ru": "Напиши короткое письмо другу.", "ar": "اكتب رسالة قصيرة إلى صديق."}
    seeds = Source("a", [row(f"{name}-0", text, source="seed") for name, text in texts.items()])
    copies = Source("b", [row(f"{name}-0", text, "x") for name, text in texts.items()])
    assert [verdict for id, verdict in verdicts(merge([seeds, copies])).items() if id[0] == "b"] == ["too_similar"] * 3


def test_instances_of_an_instruction_that_two_have_are_united():
    b = Source(
        "b",
        [
            row("g7-0", BREAD, "with salt", "so"),
            row("g7-1", BREAD, "with salt", "otherwise"),
            row("g7-2", BREAD, "with milk", "so"),
        ],
    )
    merged = merge([A, b])
    assert verdicts(merged) | {"b/g7-0": "duplicate", "b/g7-1": "conflicting_output", "b/g7-2": "kept"} == verdicts(
        merged
    )
    assert [(r.id, r.instruction_id) for r in merged.rows][2:] == [("a/g1-0", "a/g1"), ("b/g7-2", "a/g1")]


def test_ids_requests_and_parents_lead_back_to_their_run():
    b = Source("b", [replace(SEED, id="s-0", instruction_id="s"), row("g0-0", BREAD), row("g1-0", "Sing a song.")])
    new = merge([A, b]).rows[-1]
    assert (new.id, new.instruction_id) == ("b/g1-0", "b/g1")
    assert (new.request_id, new.instance_request_id) == ("b/r-1", "b/i-1")
    assert new.parents == ("a/s", "a/g1")  # b's seed is a's, and b's g0 is a's g1
    assert merge([A, b]).rows[0].request_id == ""


def test_the_order_decides_and_the_same_order_gives_the_same():
    b = Source("b", [row("g0-0", "Name three long rivers of the continent.")])
    assert merge([A, b]) == merge([A, b])
    assert verdicts(merge([b, A]))["a/g0-0"] == "too_similar"


def test_the_table_counts_every_row():
    b = Source("b", [SEED, row("g0-0", RIVERS), row("g1-0", "Sing a song.")])
    lines = [line.split() for line in merge_table([A, b], merge([A, b]).outcomes).splitlines()]
    assert lines == [
        ["dataset", "rows", "of", "kept", "too_similar", "duplicate", "conflicting_output"],
        ["a", "seed", "1", "0", "0", "0"],
        ["a", "generated", "2", "0", "0", "0"],
        ["b", "seed", "0", "0", "1", "0"],
        ["b", "generated", "1", "0", "1", "0"],
    ]


def write_run(folder: Path, *texts: str) -> str:
    (folder / "dataset").mkdir(parents=True)
    rows = [{"instruction": text, "input": "", "output": "o"} for text in texts]
    (folder / "dataset/train.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return str(folder)


def test_names_come_from_run_directories_files_or_the_user(tmp_path):
    run = write_run(tmp_path / "first", RIVERS)
    file = tmp_path / "alpaca.json"
    file.write_text(json.dumps([{"instruction": BREAD, "input": "", "output": "o"}]))
    sources = read_sources([run, str(file), f"mine={run}/dataset"])
    assert [(s.name, len(s.rows)) for s in sources] == [("first", 1), ("alpaca", 1), ("mine", 1)]
    with pytest.raises(ValueError, match=r"a dataset named 'first' is there already; give this one as another=path"):
        read_sources([run, f"{run}/dataset"])
    with pytest.raises(ValueError, match=r"no such file or folder"):
        read_sources([str(tmp_path / "absent")])


def test_the_command_writes_a_run_directory_and_keeps_its_hands_off_a_generation_run(tmp_path):
    runs = [write_run(tmp_path / "one", RIVERS, BREAD), write_run(tmp_path / "two", BREAD, "Sing a song.")]
    done = run_cli("merge", "--out", tmp_path / "both", *runs)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-3:] == [
        "3 rows of 4 stay",
        str(tmp_path / "both/dataset/train.parquet"),
        str(tmp_path / "both/candidates/merge.jsonl"),
    ]
    assert [r.id for r in read_rows(tmp_path / "both/dataset")] == ["one/row-0", "one/row-1", "two/row-1"]
    (tmp_path / "one/journal").mkdir()
    (tmp_path / "one/journal/instructions.jsonl").write_text("{}\n")
    refused = run_cli("merge", "--out", tmp_path / "one", *runs)
    assert refused.returncode == 2
    assert refused.stderr.splitlines() == [
        f"error: {tmp_path / 'one'} holds a generation run of its own; give another folder"
    ]


def test_writing_twice_gives_the_same_bytes(tmp_path):
    first, again = (write_merged(tmp_path / name, merge([A])) for name in ("x", "y"))
    assert [f.read_bytes() for f in first] == [f.read_bytes() for f in again]
