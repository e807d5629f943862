"""Other thresholds over the same answers: a replay that asks nothing and says what it lacks."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct_train.config import Config
from selfinstruct_train.core.journal import Journal, read_journal
from selfinstruct_train.generate.funnel import StageCounts, comparison_table
from selfinstruct_train.generate.pipeline import Generated, generate, prepare, read_plan
from selfinstruct_train.generate.refilter import Refiltered, refilter
from tests.support import scripted_lm as scripted

NAMES = ["dataset/train.parquet", "funnel.json", "statistics.json"]
NAMES += [f"candidates/{stage}.jsonl" for stage in ("instructions", "classification", "instances")]


@pytest.fixture
def finished(world: Path, tmp_path: Path) -> tuple[Config, Generated]:
    config = scripted.make_config(world, tmp_path / "run")
    return config, generate(prepare(config), scripted.ScriptedLM())


def again(config: Config, **settings: object) -> Refiltered:
    return refilter(read_plan(replace(config, generate=replace(config.generate, **settings))))  # type: ignore[arg-type]


def records(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("method", ["default", "paper"])
def test_the_same_thresholds_give_the_same_bytes(world: Path, tmp_path: Path, method: str) -> None:
    config = scripted.make_config(world, tmp_path / "run", method=method)
    generate(prepare(config), scripted.ScriptedLM())
    before = {p: p.read_bytes() for p in (tmp_path / "run").rglob("*") if p.is_file()}
    result = again(config)
    for name in NAMES:
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "run/refiltered" / name).read_bytes(), name
    assert {p: p.read_bytes() for p in before} == before
    assert result.missing.num_labels == result.missing.num_instances == result.missing.usage.num_requests == 0
    assert result.before == result.generated.funnel


def test_a_stricter_threshold_keeps_a_part_and_lacks_nothing(finished: tuple[Config, Generated]) -> None:
    config, run = finished
    result = again(config, rouge_l_threshold=0.5)
    kept = result.generated.instructions
    assert 0 < len(kept) < len(run.instructions)
    for outcome in records(Path(config.run_dir) / "refiltered/candidates/instructions.jsonl"):
        assert outcome["verdict"] != "too_similar" or outcome["rouge_l"] > 0.5
    assert {row.instruction for row in result.generated.rows if row.source == "generated"} <= {i.text for i in kept}
    assert result.before is not None
    assert result.before["instructions"].verdicts["kept"] == len(run.instructions)


def test_the_verdicts_are_those_of_the_pool_at_the_new_threshold(finished: tuple[Config, Generated]) -> None:
    from rouge_score.rouge_scorer import RougeScorer

    config, _ = finished
    result = again(config, rouge_l_threshold=0.45)
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    pool = [row.instruction for row in result.generated.rows if row.source == "seed"]
    judged = 0
    for outcome in records(Path(config.run_dir) / "refiltered/candidates/instructions.jsonl"):
        if outcome["verdict"] not in ("kept", "too_similar"):
            continue
        judged += 1
        largest = max(scorer.score(text, outcome["text"])["rougeL"].fmeasure for text in pool)
        assert (outcome["verdict"] == "kept") == (largest <= 0.45)
        if outcome["verdict"] == "kept":
            pool.append(outcome["text"])
    assert judged > 50


def test_a_looser_threshold_says_what_a_model_would_have_to_be_asked(finished: tuple[Config, Generated]) -> None:
    config, run = finished
    result = again(config, rouge_l_threshold=0.9)
    known = {i.id for i in run.instructions}
    new = [i for i in result.generated.instructions if i.id not in known]
    assert new
    assert result.missing.num_labels == result.missing.num_instances == len(new)
    assert result.missing.usage.num_requests == 2 * len(new)
    _, labels = read_journal(Path(config.run_dir) / "journal/classification.jsonl")
    _, instances = read_journal(Path(config.run_dir) / "journal/instances.jsonl")
    mean = sum(c.prompt_tokens for c in labels) / len(labels) + sum(c.prompt_tokens for c in instances) / len(instances)
    assert result.missing.usage.prompt_tokens == pytest.approx(mean * len(new), abs=1.5)
    # what the model wrote under the old pool stays what it was
    parents = {i.id: i.parents for i in run.instructions}
    both = [i for i in result.generated.instructions if i.id in parents]
    assert len(both) > len(known) / 2
    assert all(i.parents == parents[i.id] for i in both)


def test_fewer_instances_are_drawn_and_more_are_refused(finished: tuple[Config, Generated]) -> None:
    config, run = finished
    result = again(config, max_instances=1)
    generated = [row for row in result.generated.rows if row.source == "generated"]
    assert len(generated) == len({row.instruction_id for row in generated})
    assert {row.instruction_id for row in generated} == {
        row.instruction_id for row in run.rows if row.source == "generated"
    }
    with pytest.raises(ValueError, match="max_instances: 5 there, 6 now"):
        again(config, max_instances=6)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"requests_per_round": 6}, "requests_per_round: 5 there, 6 now"),
        ({"num_prompt_instructions": 6}, "num_prompt_instructions: 8 there, 6 now"),
        ({"method": "paper"}, 'method: "default" there, "paper" now'),
        ({"prompt_form": "chat"}, 'prompt_form: "plain" there, "chat" now'),
    ],
)
def test_settings_that_need_new_answers_are_refused_in_one_line(
    finished: tuple[Config, Generated], settings: dict, field: str
) -> None:
    with pytest.raises(ValueError, match="which need new ones") as error:
        again(finished[0], **settings)
    assert str(error.value).count(field) == 1
    assert not (Path(finished[0].run_dir) / "refiltered").exists()


def test_another_seed_and_changed_templates_are_refused(finished: tuple[Config, Generated], world: Path) -> None:
    config, _ = finished
    with pytest.raises(ValueError, match="seed: 7 there, 8 now"):
        refilter(read_plan(replace(config, seed=8)))
    (world / "templates/input_first.txt").write_text("Other. Task:")
    with pytest.raises(ValueError, match="templates_sha256"):
        again(config)


def test_a_run_that_was_killed_gives_what_it_has(world: Path, tmp_path: Path) -> None:
    config = scripted.make_config(world, tmp_path / "run")
    generate(prepare(config), scripted.ScriptedLM())
    path = tmp_path / "run/journal/instructions.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:8] + lines[9:12]))  # 7 answers in order, then a gap
    result = again(config)
    assert result.generated.funnel["instructions"].num_requests == 7


def test_where_no_run_is_and_where_one_is_at_work(world: Path, tmp_path: Path) -> None:
    config = scripted.make_config(world, tmp_path / "run", num_instructions=5)
    with pytest.raises(ValueError, match="no journal there"):
        again(config)
    assert not Path(config.run_dir).exists()  # a mistyped run_dir leaves nothing behind
    generate(prepare(config), scripted.ScriptedLM())
    path = tmp_path / "run/journal/instructions.jsonl"
    with Journal.open(path, read_journal(path)[0]), pytest.raises(ValueError, match="another process"):
        again(config)


def test_the_table_shows_both_funnels() -> None:
    before = {"instructions": StageCounts(5, 3, {"kept": 2, "keyword": 1})}
    after = {"instructions": StageCounts(5, 3, {"kept": 1, "too_similar": 2})}
    assert [line.split() for line in comparison_table(before, after).splitlines()] == [
        ["stage", "verdict", "before", "after"],
        ["instructions", "kept", "2", "1"],
        ["instructions", "too_similar", "0", "2"],
        ["instructions", "keyword", "1", "0"],
    ]
