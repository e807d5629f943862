"""Similarity in bulk: rouge_score's floats, the released code's definition, whatever the size of a block."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score import rouge_scorer

from selfinstruct_train.config import Config, GenerateConfig
from selfinstruct_train.core.records import SeedTask
from selfinstruct_train.dataset import similarity
from selfinstruct_train.dataset.similarity import Similarity, nearest_seed, similarities, write_most_similar
from tests.support.cli import run_cli
from tests.support.paths import ROOT

SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
TEXTS = st.lists(st.sampled_from(["a", "b", "c", "the", "THE", "x1", "é", "-"]), max_size=9).map(" ".join)
SHARED = ROOT.parent / "shared" / "data"


def reference(text: str, other: str) -> float:
    return float(SCORER.score(text, other)["rougeL"].fmeasure)


def seed(id: str, text: str) -> SeedTask:
    return SeedTask(id, text, (), False)


def test_each_is_compared_with_the_seeds_and_what_was_accepted_before() -> None:
    found = similarities(["a b c d", "x y"], ["a b c e", "a b x y", "q"])
    assert found == [
        Similarity((("a b c d", 0.75), ("x y", 0.0)), 0.375),
        Similarity((("x y", 2 / 3), ("a b c d", 0.5), ("a b c e", 0.5)), pytest.approx(1.6666667 / 3)),
        Similarity((("a b c d", 0.0), ("x y", 0.0), ("a b c e", 0.0), ("a b x y", 0.0)), 0.0),
    ]
    assert found[0].as_released() == {"most_similar": {"a b c d": 0.75, "x y": 0.0}, "avg_similarity_score": 0.375}


def test_ten_are_kept_of_equals_the_earlier() -> None:
    (found,) = similarities([f"a b c s{i}" for i in range(30)], ["a b c d"])
    assert found.most_similar == tuple((f"a b c s{i}", 0.75) for i in range(10))
    assert similarities([], ["a b c d"]) == [Similarity((), 0.0)]
    assert similarities(["a"], []) == []


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, max_size=6), st.lists(TEXTS, max_size=12), st.sampled_from([1, 7, 30, 10**6]))
def test_scores_and_order_are_those_of_rouge_score_whatever_the_block(
    seeds: list[str], accepted: list[str], pairs: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(similarity, "_PAIRS_IN_A_BLOCK", pairs)
        found = similarities(seeds, accepted)
    for i, text in enumerate(accepted):
        pool = [*seeds, *accepted[:i]]
        scores = [reference(text, other) for other in pool]
        order = sorted(range(len(pool)), key=lambda place: (-scores[place], place))[:10]
        assert found[i].most_similar == tuple((pool[place], scores[place]) for place in order)
        assert found[i].mean == pytest.approx(sum(scores) / max(1, len(scores)))


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent: real material is not part of the repository")
def test_the_ten_among_thousands_of_real_instructions_are_rouge_scores() -> None:
    lines = (SHARED / "self_instruct_5k.jsonl").read_text().splitlines()
    texts = [json.loads(line)["instruction"] for line in lines]
    (found,) = similarities(texts[:3000], texts[3000:3001])
    scores = [reference(texts[3000], other) for other in texts[:3000]]
    order = sorted(range(3000), key=lambda place: (-scores[place], place))[:10]
    assert found.most_similar == tuple((texts[place], scores[place]) for place in order)
    assert found.mean == pytest.approx(sum(scores) / 3000)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=6), st.lists(TEXTS, max_size=6))
def test_the_nearest_seed_is_the_first_with_rouge_scores_largest_score(seeds: list[str], texts: list[str]) -> None:
    found = nearest_seed(texts, [seed(f"s{i}", text) for i, text in enumerate(seeds)])
    for text, nearest in zip(texts, found, strict=True):
        scores = [reference(text, other) for other in seeds]
        assert nearest == (f"s{scores.index(max(scores))}", max(scores))


def test_nearest_seed_tells_progress_and_needs_a_seed() -> None:
    told: list[int] = []
    assert nearest_seed(["b"], [seed("x", "a"), seed("y", "b c")], told.append) == [("y", 2 / 3)]
    assert told == [1]
    told.clear()
    similarities(["a"], ["b", "c"], told.append)
    assert sum(told) == 2
    with pytest.raises(ValueError, match="no seed tasks"):
        nearest_seed(["b"], [])


def test_other_scripts_are_compared_by_their_own_words() -> None:
    texts = ["写一首诗", "Напиши стих"]
    seeds = [seed("zh", texts[0]), seed("ru", texts[1])]
    assert nearest_seed(texts, seeds, tokenization="unicode") == [("zh", 1.0), ("ru", 1.0)]
    assert nearest_seed(texts, seeds) == [("zh", 0.0), ("zh", 0.0)]


def test_the_command_writes_what_the_released_code_stores_of_every_accepted_instruction(tmp_path: Path) -> None:
    world, run = tmp_path / "world.jsonl", tmp_path / "run"
    task = {
        "id": "s0",
        "instruction": "a b c d",
        "instances": [{"input": "", "output": "x"}],
        "is_classification": False,
    }
    world.write_text(json.dumps(task) + "\n")
    command = ["similarity", "--run_dir", run, "--generate.seed_tasks", world]
    failed = run_cli(*command)
    assert failed.returncode == 2
    told = f"error: {run}/candidates/instructions.jsonl: no such file; `selfinstruct generate` writes it"
    assert failed.stderr.startswith(told)
    (run / "candidates").mkdir(parents=True)
    outcomes = [("g0", "a b c e", "kept"), ("g1", "a b c d", "too_similar"), ("g2", "a b x y", "kept")]
    (run / "candidates/instructions.jsonl").write_text(
        "".join(json.dumps({"id": id, "text": text, "verdict": verdict}) + "\n" for id, text, verdict in outcomes)
    )
    done = run_cli(*command)
    assert (done.returncode, done.stdout) == (0, f"{run}/most_similar.jsonl\n")
    assert [json.loads(line) for line in (run / "most_similar.jsonl").read_text().splitlines()] == [
        {"id": "g0", "instruction": "a b c e", "most_similar": {"a b c d": 0.75}, "avg_similarity_score": 0.75},
        {
            "id": "g2",
            "instruction": "a b x y",
            "most_similar": {"a b c d": 0.5, "a b c e": 0.5},
            "avg_similarity_score": 0.5,
        },
    ]


@pytest.mark.parametrize(("method", "mean"), [("default", 0.5), ("paper", 0.0)])
def test_a_runs_similarities_compare_the_words_that_its_novelty_test_compares(
    tmp_path: Path, method: Literal["default", "paper"], mean: float
) -> None:
    task = {"id": "s", "instruction": "Напиши стих", "instances": [{"input": "", "output": "x"}]}
    (tmp_path / "seeds.jsonl").write_text(json.dumps({**task, "is_classification": False}) + "\n")
    (tmp_path / "candidates").mkdir()
    outcome = {"id": "g", "text": "Напиши рассказ", "verdict": "kept"}
    (tmp_path / "candidates/instructions.jsonl").write_text(json.dumps(outcome) + "\n")
    settings = GenerateConfig(method=method, seed_tasks=str(tmp_path / "seeds.jsonl"))
    written = write_most_similar(replace(Config(), run_dir=str(tmp_path), generate=settings))
    assert json.loads(written.read_text())["avg_similarity_score"] == mean
