"""The whole generation half with a scripted model: same dataset whatever the chunks, refusals before any answer."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from selfinstruct_train.core.journal import Journal, read_journal
from selfinstruct_train.core.records import Completion, Request, Sampling, UnansweredError
from selfinstruct_train.generate.pipeline import Generated, generate, prepare
from selfinstruct_train.lm.base import OnAnswer
from tests.support import scripted_lm as scripted


def digest(run_dir: Path) -> str:
    return hashlib.sha256((run_dir / "dataset/train.parquet").read_bytes()).hexdigest()


def run(world: Path, run_dir: Path, chunk_size: int = 4, **settings: object) -> Generated:
    return generate(prepare(scripted.make_config(world, run_dir, **settings)), scripted.ScriptedLM(chunk_size))


def records(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_chunk_size_does_not_reach_the_data(world: Path, tmp_path: Path) -> None:
    digests = set()
    for chunk_size in (1, 8, 64):
        run(world, tmp_path / f"run{chunk_size}", chunk_size)
        digests.add(digest(tmp_path / f"run{chunk_size}"))
    assert len(digests) == 1


def test_the_same_command_again_asks_nothing_and_writes_the_same_bytes(world: Path, tmp_path: Path) -> None:
    first = run(world, tmp_path / "run")
    before = {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()}
    lm = scripted.ScriptedLM(9)
    second = generate(prepare(scripted.make_config(world, tmp_path / "run")), lm)
    assert lm.asked == []
    assert second == first
    assert {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()} == before


def test_a_run_writes_the_files_it_names_and_no_others(world: Path, tmp_path: Path) -> None:
    result = run(world, tmp_path / "run")
    written = {str(p.relative_to(tmp_path / "run")) for p in (tmp_path / "run").rglob("*") if p.is_file()}
    assert {str(p.relative_to(tmp_path / "run")) for p in result.files} == {
        "dataset/train.parquet", "funnel.json", "statistics.json", "contamination.json",
        "candidates/instructions.jsonl", "candidates/classification.jsonl", "candidates/instances.jsonl",
    }  # fmt: skip
    journals = {f"journal/{stage}.jsonl" for stage in ("instructions", "classification", "instances")}
    assert written == {str(p.relative_to(tmp_path / "run")) for p in result.files} | journals


def test_every_candidate_has_a_fate_and_the_funnel_counts_them(world: Path, tmp_path: Path) -> None:
    result = run(world, tmp_path / "run")
    assert len(result.instructions) >= 60
    funnel = json.loads((tmp_path / "run/funnel.json").read_text())
    for stage in ("instructions", "classification", "instances"):
        candidates = records(tmp_path / f"run/candidates/{stage}.jsonl")
        assert Counter(c["verdict"] for c in candidates) == funnel[stage]["verdicts"]
        assert funnel[stage]["num_candidates"] == len(candidates)
        _, completions = read_journal(tmp_path / f"run/journal/{stage}.jsonl")
        assert {c["request_id"] for c in candidates} == {c.request_id for c in completions}
        assert funnel[stage]["num_requests"] == len(completions)
    assert set(funnel["instructions"]["verdicts"]) == {
        "kept", "too_similar", "too_short", "keyword", "write_a_program", "punctuation", "cut_off",
    }  # fmt: skip
    assert set(funnel["classification"]["verdicts"]) == {"classification", "not_classification", "unclear"}
    assert {"kept", "cut_off", "conflicting_outputs"} <= set(funnel["instances"]["verdicts"])


def test_every_row_tells_where_it_came_from(world: Path, tmp_path: Path) -> None:
    result = run(world, tmp_path / "run")
    known = {f"seed-{i}" for i in range(10)} | {i.id for i in result.instructions}
    answers = {c.request_id: c for c in read_journal(tmp_path / "run/journal/instructions.jsonl")[1]}
    generated = [row for row in result.rows if row.source == "generated"]
    assert [row.id for row in result.rows[:10]] == [f"seed-{i}-0" for i in range(10)]
    assert len({row.id for row in result.rows}) == len(result.rows) == 10 + len(generated)
    for row in generated:
        assert row.instruction in answers[row.request_id].text
        assert set(row.parents) <= known and len(row.parents) == 8
        assert row.instance_request_id == f"instances-{row.instruction_id}"
        assert row.finish_reason in ("stop", "length")


def test_a_longer_run_begins_with_the_shorter_one(world: Path, tmp_path: Path) -> None:
    short = run(world, tmp_path / "run", num_instructions=20)
    longer = run(world, tmp_path / "run", num_instructions=60)
    fresh = run(world, tmp_path / "fresh", num_instructions=60)
    assert longer.instructions[: len(short.instructions)] == short.instructions
    assert digest(tmp_path / "run") == digest(tmp_path / "fresh")
    assert longer.rows == fresh.rows


def test_a_longer_paper_run_equals_a_fresh_one_although_batches_decide_token_limits(
    world: Path, tmp_path: Path
) -> None:
    run(world, tmp_path / "run", num_instructions=12, method="paper")
    run(world, tmp_path / "run", num_instructions=40, method="paper")
    run(world, tmp_path / "fresh", num_instructions=40, method="paper")
    assert digest(tmp_path / "run") == digest(tmp_path / "fresh")


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"rouge_l_threshold": 0.5}, "rouge_l_threshold: 0.7 there, 0.5 now"),
        ({"method": "paper"}, 'method: "default" there, "paper" now'),
        ({"requests_per_round": 6}, "requests_per_round: 5 there, 6 now"),
        ({"num_prompt_instructions": 6}, "num_prompt_instructions: 8 there, 6 now"),
        ({"max_machine_instructions": 1}, "max_machine_instructions: 2 there, 1 now"),
        ({"classification_seeds_only": True}, "classification_seeds_only: false there, true now"),
        ({"max_instances": 3}, 'sampling.stop: ["Example 6", "Task:"] there, ["Example 4", "Task:"] now'),
    ],
)
def test_a_run_directory_of_another_configuration_is_refused_before_the_model_is_loaded(
    world: Path, tmp_path: Path, settings: dict, field: str
) -> None:
    run(world, tmp_path / "run", num_instructions=5)
    with pytest.raises(ValueError, match="another configuration") as error:
        prepare(scripted.make_config(world, tmp_path / "run", **settings))
    assert field in str(error.value)


def test_a_run_directory_of_another_model_is_refused(world: Path, tmp_path: Path) -> None:
    run(world, tmp_path / "run", num_instructions=5)
    other = scripted.ScriptedLM()
    other.name = "another model"
    with pytest.raises(ValueError, match='lm: "scripted" there, "another model" now'):
        generate(prepare(scripted.make_config(world, tmp_path / "run")), other)


def test_changed_seed_tasks_and_templates_are_refused(world: Path, tmp_path: Path) -> None:
    run(world, tmp_path / "run", num_instructions=5)
    config = scripted.make_config(world, tmp_path / "run")
    template = world / "templates/input_first.txt"
    template.write_text("Changed. " + template.read_text())
    with pytest.raises(ValueError, match="templates_sha256"):
        prepare(config)
    seeds = world / "seeds.jsonl"
    seeds.write_text(seeds.read_text().replace("Task number 4", "Task number four"))
    with pytest.raises(ValueError, match="seed_tasks_sha256"):
        prepare(config)


def test_a_run_directory_that_cannot_be_written_is_refused(world: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be written: File exists; choose another run_dir"):
        prepare(scripted.make_config(world, tmp_path / "file"))


def test_a_folder_for_journals_that_cannot_be_written_is_refused_before_the_model_is_loaded(
    world: Path, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/journal").write_text("")
    with pytest.raises(ValueError, match="cannot be written: File exists"):
        prepare(scripted.make_config(world, tmp_path / "run"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(world: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o555)
    with pytest.raises(ValueError, match="cannot be written: Permission denied"):
        prepare(scripted.make_config(world, tmp_path / "run"))


@pytest.mark.parametrize("stage", ["instructions", "classification", "instances"])
@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_request_that_stays_open_ends_the_run_in_one_line_and_is_the_only_one_asked_again(
    world: Path, tmp_path: Path, stage: str, which: int
) -> None:
    left_open: list[str] = []

    class Failing(scripted.ScriptedLM):  # type: ignore[misc,name-defined]
        def complete(self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer) -> list[Completion]:
            fails = requests[which] if requests[0].id.startswith(stage) and not left_open else None
            told = super().complete([r for r in requests if r is not fails], sampling)
            on_answer(told)
            if fails is not None:
                left_open.append(fails.id)
                raise UnansweredError("1 has no answer", others_may_be=True)
            return told  # type: ignore[no-any-return]

    lm = Failing()
    with pytest.raises(UnansweredError, match=f"1 of .* are open, e.g. '{stage}-.*: 1 has no answer"):
        generate(prepare(scripted.make_config(world, tmp_path / "run")), lm)
    again = scripted.ScriptedLM()
    generate(prepare(scripted.make_config(world, tmp_path / "run")), again)
    assert again.asked[0] == left_open[0]
    assert set(again.asked).isdisjoint(lm.asked)
    run(world, tmp_path / "whole")
    assert digest(tmp_path / "run") == digest(tmp_path / "whole")


@pytest.mark.parametrize("stage", ["instructions", "classification", "instances"])
def test_a_disk_that_fills_up_in_any_stage_loses_nothing(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def no_space(fd: int, data: bytes) -> int:
        if f'"id": "{stage}-'.encode() in bytes(data):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data)

    write = os.write
    lm = scripted.ScriptedLM()
    with monkeypatch.context() as patch, pytest.raises(OSError, match=f"{stage}.jsonl: the disk is full; 0 answers"):
        patch.setattr("selfinstruct_train.core.journal.os.write", no_space)
        generate(prepare(scripted.make_config(world, tmp_path / "run")), lm)
    again = scripted.ScriptedLM()
    generate(prepare(scripted.make_config(world, tmp_path / "run")), again)
    lost = set(lm.asked) & set(again.asked)
    assert 0 < len(lost) <= lm.chunk_size
    assert all(id.startswith(stage) for id in lost)
    run(world, tmp_path / "whole")
    assert digest(tmp_path / "run") == digest(tmp_path / "whole")


def test_a_second_run_on_the_directory_is_refused_in_every_stage(world: Path, tmp_path: Path) -> None:
    config = scripted.make_config(world, tmp_path / "run", num_instructions=5)
    refused = set()

    class Watched(scripted.ScriptedLM):  # type: ignore[misc,name-defined]
        def complete(self, requests: Sequence[Request], *args: Any) -> list[Completion]:
            with pytest.raises(ValueError, match="another process is using this run"):
                generate(prepare(config), scripted.ScriptedLM())
            refused.add(requests[0].id.split("-")[0])
            return super().complete(requests, *args)  # type: ignore[no-any-return]

    generate(prepare(config), Watched())
    assert refused == {"instructions", "classification", "instances"}


def test_a_run_in_use_is_refused(world: Path, tmp_path: Path) -> None:
    run(world, tmp_path / "run", num_instructions=5)
    path = tmp_path / "run/journal/instances.jsonl"
    with Journal.open(path, read_journal(path)[0]), pytest.raises(ValueError, match="another process"):
        run(world, tmp_path / "run", num_instructions=5)


def test_a_model_that_writes_nothing_usable_leaves_the_seed_tasks_and_a_warning(
    world: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted, "tasks", lambda rng: "nothing here")
    result = run(world, tmp_path / "run")
    assert [row.source for row in result.rows] == ["seed"] * 10
    assert set(result.funnel["instructions"].verdicts) == {"too_short", "cut_off"}
    assert result.funnel["instructions"].num_requests == 500
    assert "500 requests in a row gave no new instruction" in caplog.text
    assert "seed tasks alone" in caplog.text
