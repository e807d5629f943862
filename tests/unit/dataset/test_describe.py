"""Describing a run's dataset and a foreign one: files, what is kept and what is refused."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Literal

import pytest

from selfinstruct_train.config import BudgetConfig, CardConfig, Config, GenerateConfig, Price
from selfinstruct_train.core.journal import Journal
from selfinstruct_train.core.names import STAGES
from selfinstruct_train.core.records import Completion, Request, Row, Sampling, SeedTask
from selfinstruct_train.core.storage import read_object
from selfinstruct_train.dataset.describe import describe
from selfinstruct_train.dataset.origin import Origin, write_origin
from selfinstruct_train.dataset.rows import write_rows
from selfinstruct_train.generate.pipeline import read_plan
from selfinstruct_train.generate.self_instruct.journals import journal_header
from selfinstruct_train.lm.base import OnAnswer
from tests.support.cli import run_cli


class Costly:
    """Answers every request with a million prompt tokens and ten of its own."""

    name = "costly"
    chunk_size = 4

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        return [Completion(r.id, "t", "stop", 1_000_000, 10) for r in requests]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], int]]:
    """Similarity by a rule, 0.25 to the first seed; what was asked for, call by call."""
    calls: list[tuple[list[str], int]] = []

    def nearest_seed(
        instructions: Sequence[str], seeds: Sequence[SeedTask], tokenization: str
    ) -> list[tuple[str, float]]:
        calls.append((list(instructions), len(seeds)))
        return [(seeds[0].id, 0.25)] * len(instructions)

    stand_in = ModuleType("selfinstruct_train.dataset.similarity")
    stand_in.nearest_seed = nearest_seed  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    return calls


def row(id: str, instruction: str, output: str, source: str = "generated") -> Row:
    return Row(id, instruction, "", output, False, source, id.split("-")[0], "", "", (), "stop")  # type: ignore[arg-type]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A run of two generated instructions with three instances."""
    rows = [
        row("s-0", "Say hi.", "hi", "seed"),
        row("a-0", "Write a short poem.", "Roses"),
        row("a-1", "Write a short poem.", "Violets"),
        row("b-0", "Name a river in Peru.", "Amazon"),
    ]
    write_rows(tmp_path / "run/dataset", rows)
    funnel = {"instances": {"num_requests": 2, "num_candidates": 3, "verdicts": {"kept": 3}}}
    (tmp_path / "run/funnel.json").write_text(json.dumps(funnel))
    settings = GenerateConfig(seed_tasks="builtin:tiny", templates="builtin:tiny")
    config = replace(Config(), run_dir=str(tmp_path / "run"), generate=settings)
    write_header(config)
    return config


def write_header(config: Config) -> None:
    """Begin the journal that makes the directory a run of ours."""
    path = Path(config.run_dir) / "journal/instructions.jsonl"
    path.unlink(missing_ok=True)
    with Journal.open(path, {**journal_header(read_plan(config), "instructions"), "lm": "builtin:tiny@1 transformers"}):
        pass


def card(config: Config) -> str:
    return (Path(config.run_dir) / "dataset/README.md").read_text()


def test_a_run_is_described_with_similarity_pictures_and_card(config: Config, asked: list[object]) -> None:
    result = describe(config)
    run = Path(config.run_dir)
    names = ["dataset/README.md", *(f"dataset/figures/{n}.png" for n in ("verb_noun", "lengths", "seed_similarity"))]
    assert result.files == [run / name for name in [*names, "nearest_seed.jsonl", "verb_noun.json"]]
    assert all(path.is_file() for path in result.files)
    assert "instances                                    3     1         82,439" in result.table
    assert asked == [(["Write a short poem.", "Name a river in Peru."], 40)]
    lines = [json.loads(line) for line in (run / "nearest_seed.jsonl").read_text().splitlines()]
    assert lines[1] == {"instruction_id": "b", "nearest_seed": lines[0]["nearest_seed"], "rouge_l": 0.25}
    text = card(config)
    assert "mean 0.25, largest 0.25" in text
    assert "found in 2 of 2 instructions (100%" in text
    assert "| instances | `kept` |" in text
    assert str(run.parent) not in text


def test_described_again_it_gives_the_same_bytes(config: Config, asked: list[object]) -> None:
    first = {path: path.read_bytes() for path in describe(config).files}
    assert {path: path.read_bytes() for path in describe(config).files} == first


@pytest.mark.parametrize(("method", "similarity"), [("default", 0.5), ("paper", 0.0)])
def test_similarity_compares_the_words_that_the_novelty_test_compares(
    config: Config, tmp_path: Path, method: Literal["default", "paper"], similarity: float
) -> None:
    seed = {"id": "s", "instruction": "Напиши стих", "instances": [{"input": "", "output": "x"}]}
    (tmp_path / "seeds.jsonl").write_text(json.dumps({**seed, "is_classification": False}) + "\n")
    write_rows(Path(config.run_dir) / "dataset", [row("a-0", "Напиши рассказ", "Жил")])
    config = replace(config, generate=replace(config.generate, seed_tasks=str(tmp_path / "seeds.jsonl"), method=method))
    write_header(config)
    described = describe(config)
    record = json.loads(described.files[-1].read_text())
    assert record == {"instruction_id": "a", "nearest_seed": "s", "rouge_l": similarity}


def test_rows_in_a_run_directory_without_journals_are_not_told_to_be_made_by_its_settings(
    config: Config, asked: list[object]
) -> None:
    (Path(config.run_dir) / "journal/instructions.jsonl").unlink()
    describe(config)
    text = card(config)
    assert "Self-Instruct data: run" in text
    assert "license: other" in text
    assert "builtin:tiny" not in text
    assert "What became of every candidate" not in text


def test_a_model_that_did_not_answer_is_refused(config: Config, asked: list[object]) -> None:
    with pytest.raises(ValueError, match="answered by builtin:tiny@1 transformers, not by model.path 'other/model'"):
        describe(replace(config, model=replace(config.model, path="other/model")))


def test_a_review_is_told_only_of_the_dataset_it_was_made_of(config: Config, asked: list[object]) -> None:
    run = Path(config.run_dir)
    digest = hashlib.sha256((run / "dataset/train.parquet").read_bytes()).hexdigest()
    review = {"reviewer": "two people", "n": 3, "percent": {"all": 66.7}}
    for of, told in (("0" * 64, False), (None, False), (digest, True)):
        (run / "review.json").write_text(json.dumps(review | ({"dataset_sha256": of} if of else {})))
        describe(config)
        assert ("| all fields are right | 66.7 | 54 |" in card(config)) is told


def test_tokens_and_cost_come_from_the_journals(config: Config, asked: list[object]) -> None:
    plan = read_plan(config)
    for stage in STAGES:
        header = {**journal_header(plan, stage), "lm": "builtin:tiny@1 transformers"}
        with Journal.open(plan.run_dir / f"journal/{stage}.jsonl", header) as journal:
            journal.complete(Costly(), [Request("r", "p")], Sampling())
    describe(config)
    assert "3 answered requests: 3,000,000 prompt tokens and 30 completion tokens. The paper" in card(config)
    priced = replace(config, budget=BudgetConfig(currency="EUR", prices={"builtin:tiny": Price(0.5, 0.0)}))
    describe(priced)
    assert "30 completion tokens, 1.50 EUR by the prices of the configuration." in card(config)
    with pytest.raises(ValueError, match="belongs to another configuration"):
        describe(replace(config, seed=43))


def test_foreign_rows_are_described_without_claims_on_their_making(
    config: Config, tmp_path: Path, asked: list[object]
) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "rows.jsonl").write_text('{"instruction": "你好", "input": "", "output": "好"}\n')
    result = describe(replace(config, card=CardConfig(dataset=str(folder), language="zh", name="Theirs")))
    assert result.files == [folder / "README.md", folder / "figures/lengths.png"]
    text = (folder / "README.md").read_text()
    assert "\n# Theirs\n" in text
    assert "license: other\n" in text
    assert "language: zh\n" in text
    assert "How it was made" not in text
    table = text.split("## Columns")[1].split("## How to load it")[0]
    assert [line.split("`")[1] for line in table.splitlines() if "`" in line] == ["instruction", "input", "output"]
    assert asked == []


def test_what_cannot_be_described_is_refused_in_one_line(config: Config, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no dataset there; mend card.dataset"):
        describe(replace(config, card=CardConfig(dataset=str(tmp_path / "nowhere"))))
    file = tmp_path / "a.jsonl"
    file.write_text('{"instruction": "a", "input": "", "output": "b"}\n')
    with pytest.raises(ValueError, match="is a file; put it into a folder of its own"):
        describe(replace(config, card=CardConfig(dataset=str(file))))
    readme = Path(config.run_dir) / "dataset/README.md"
    readme.write_text("# My own card\n")
    with pytest.raises(ValueError, match=r"README\.md was not written by this command; move it away"):
        describe(config)
    assert readme.read_text() == "# My own card\n"


@pytest.mark.parametrize("verb", ["describe", "export"])
def test_the_commands_say_in_one_line_what_is_missing(verb: str, tmp_path: Path) -> None:
    done = run_cli(verb, "--run_dir", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {tmp_path}/dataset: no dataset there; run `selfinstruct generate` first")
    assert done.stderr.count("\n") == 1


def test_converted_rows_are_told_as_written_by_people_under_their_own_licence(
    config: Config, asked: list[object], tmp_path: Path
) -> None:
    origin = Origin("Some tasks", "Instances of 2 tasks.", "apache-2.0", "So says their maker.", {"max_rows": 7})
    rows = [row("a-0", "Name an animal.", "cow", "seed"), row("b-0", "Name a colour.", "red", "seed")]
    write_rows(tmp_path / "converted", rows)
    write_origin(tmp_path / "converted", origin)
    described = describe(replace(config, card=CardConfig(dataset=str(tmp_path / "converted"))))
    card = described.files[0].read_text(encoding="utf-8")
    assert "# Some tasks\n" in card
    assert "2 rows of instruction data. Instances of 2 tasks.\n" in card
    assert "**Written by people.**" in card
    assert "How they were chosen: max rows `7`." in card
    assert "`apache-2.0`. So says their maker." in card
    assert "license: apache-2.0\n" in card
    for claim in ("machine", "synthetic", "model wrote", "54 %"):
        assert claim not in card, claim


def test_figure_3_is_left_in_numbers_too(config: Config, asked: list[object]) -> None:
    describe(config)
    found = read_object(Path(config.run_dir) / "verb_noun.json")
    write, name = ({"verb": v, "count": 1, "nouns": [[n, 1]]} for v, n in (("write", "poem"), ("name", "river")))
    assert found == {"num_instructions": 2, "num_with_pair": 2, "num_drawn": 2, "verbs": [name, write]}
