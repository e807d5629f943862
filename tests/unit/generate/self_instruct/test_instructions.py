"""Stage 1: what stands in a prompt, what a round sees, when it ends."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest

from selfinstruct_train.config import GenerateConfig
from selfinstruct_train.core.records import Completion, Pair, Request, Sampling, SeedTask
from selfinstruct_train.generate.self_instruct.instructions import (
    CandidateFilter,
    InstructionStage,
    generate_instructions,
    prompt_seeds,
)
from selfinstruct_train.lm.base import OnAnswer
from tests.support.generation import one_stage

SEEDS = [SeedTask(f"s{i}", f"Seed task {i} says s{i}", (Pair("", "x"),), i % 4 == 0) for i in range(12)]


class NumberLM:
    """Writes one new instruction a request, made of words that no other has."""

    name = "numbers"
    chunk_size = 2

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.calls: list[int] = []

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        self.requests += requests
        self.calls.append(len(requests))
        return [Completion(r.id, self.text(r), "stop", 1, 1) for r in requests]

    def text(self, request: Request) -> str:
        n = request.id.replace("-", "")
        return f" word{n} thing{n} place{n} time{n}"


def run(tmp_path: Path, lm: NumberLM, seed: int = 1, **settings: object) -> InstructionStage:
    config = GenerateConfig(**{"num_instructions": 20, **settings})  # type: ignore[arg-type]
    with one_stage("instructions", tmp_path, lm, config, SEEDS, seed) as session:
        return generate_instructions(session)


def test_the_first_round_shows_eight_seeds_the_next_ones_two_machine_written_and_six_seeds(tmp_path: Path) -> None:
    stage = run(tmp_path, NumberLM())
    by_round: dict[str, list[tuple[str, ...]]] = {}
    for outcome in stage.outcomes:
        by_round.setdefault(outcome.request_id[:-3], []).append(outcome.parents)
    assert [len(parents) for parents in by_round.values()] == [5, 5, 5, 5]
    for number, shown in enumerate(by_round.values()):
        for parents in shown:
            assert len(parents) == len(set(parents)) == 8
            assert sum(p.startswith("gen-") for p in parents) == (0 if number == 0 else 2)


def test_a_round_sees_the_pool_of_its_start(tmp_path: Path) -> None:
    stage = run(tmp_path, NumberLM(), requests_per_round=10)
    for outcome in stage.outcomes:
        its_round = int(outcome.request_id.split("-")[1])
        assert all(int(p.split("-")[1]) < its_round for p in outcome.parents if p.startswith("gen-"))


def test_the_prompt_shows_the_parents_in_their_order(tmp_path: Path) -> None:
    lm = NumberLM()
    stage = run(tmp_path, lm)
    text_of = {t.id: t.instruction for t in SEEDS} | {i.id: i.text for i in stage.accepted}
    for request, outcome in zip(lm.requests, stage.outcomes, strict=True):
        lines = [f"{n}. {text_of[p]}" for n, p in enumerate(outcome.parents, start=1)]
        assert request.prompt == "\n".join(["Come up with a series of tasks:", *lines, "9."])


def test_prompts_and_sampling_seeds_depend_on_the_runs_seed(tmp_path: Path) -> None:
    prompts = []
    for seed in (1, 1, 2):
        lm = NumberLM()
        folder = tmp_path / str(len(prompts))
        run(folder, lm, seed)
        prompts.append([(r.prompt, r.seed) for r in lm.requests])
    assert prompts[0] == prompts[1]
    assert prompts[0] != prompts[2]
    assert len({seed for _, seed in prompts[0]}) == 20


def test_the_machine_written_share_of_a_prompt_is_a_setting(tmp_path: Path) -> None:
    stage = run(tmp_path, NumberLM(), num_prompt_instructions=6, max_machine_instructions=4)
    last = stage.outcomes[-1].parents
    assert len(last) == 6
    assert sum(p.startswith("gen-") for p in last) == 4


def test_few_seed_tasks_give_shorter_prompts(tmp_path: Path) -> None:
    lm = NumberLM()
    with one_stage("instructions", tmp_path, lm, GenerateConfig(num_instructions=4), SEEDS[:3]) as session:
        generate_instructions(session)
    assert lm.requests[0].prompt.endswith("\n4.")


def test_classification_seeds_only_changes_prompts_but_not_the_pool_that_novelty_looks_at(tmp_path: Path) -> None:
    class Copycat(NumberLM):
        def text(self, request: Request) -> str:
            return " Seed task 1 says s1"  # a seed that is no classification task

    lm = Copycat()
    stage = run(tmp_path, lm, classification_seeds_only=True, max_requests=5)
    assert lm.requests[0].prompt.startswith("Come up with a series of classification tasks. Try to specify")
    assert {p for outcome in stage.outcomes for p in outcome.parents} == {"s0", "s4", "s8"}
    assert {(f.verdict, f.rouge_l, f.nearest) for f in stage.outcomes} == {("too_similar", 1.0, "Seed task 1 says s1")}


def test_no_classification_seed_is_refused_where_only_such_are_wanted() -> None:
    others = [dataclasses.replace(t, is_classification=False) for t in SEEDS]
    with pytest.raises(ValueError, match="no task with is_classification true"):
        prompt_seeds(others, GenerateConfig(classification_seeds_only=True))


def test_max_requests_ends_the_stage_in_the_middle_of_a_round(tmp_path: Path) -> None:
    lm = NumberLM()
    stage = run(tmp_path, lm, max_requests=7)
    assert stage.num_requests == len(lm.requests) == len(stage.accepted) == 7
    assert lm.calls == [2, 2, 1, 2]


def test_a_round_is_judged_to_its_end_so_the_target_may_be_passed(tmp_path: Path) -> None:
    assert len(run(tmp_path, NumberLM(), num_instructions=7).accepted) == 10


def test_similar_texts_of_one_round_are_judged_against_each_other_in_request_order(tmp_path: Path) -> None:
    class Repeating(NumberLM):
        def text(self, request: Request) -> str:
            return " always the same old thing\n10. always the same old thing again"

    stage = run(tmp_path, Repeating(), max_requests=2)
    assert [(f.verdict, f.nearest) for f in stage.outcomes] == [
        ("kept", ""),
        ("too_similar", "Always the same old thing"),
        ("too_similar", "Always the same old thing"),
        ("too_similar", "Always the same old thing"),
    ]
    assert [f.id for f in stage.outcomes] == [
        "gen-000000-00-00", "gen-000000-00-01", "gen-000000-01-00", "gen-000000-01-01",
    ]  # fmt: skip


def test_the_threshold_decides_what_is_too_similar(tmp_path: Path) -> None:
    class Pairs(NumberLM):
        def text(self, request: Request) -> str:
            return " one two three four five\n10. one two three four six"  # ROUGE-L 0.8

    stage = run(tmp_path / "a", Pairs(), max_requests=1, rouge_l_threshold=0.7)
    assert [(f.verdict, f.rouge_l) for f in stage.outcomes] == [("kept", 0.0), ("too_similar", pytest.approx(0.8))]
    stage = run(tmp_path / "b", Pairs(), max_requests=1, rouge_l_threshold=0.9)
    assert [f.verdict for f in stage.outcomes] == ["kept", "kept"]


def test_the_report_shows_every_round(tmp_path: Path) -> None:
    seen = []
    with one_stage("instructions", tmp_path, NumberLM(), GenerateConfig(num_instructions=12), SEEDS) as session:
        generate_instructions(session, lambda s: seen.append((s.num_requests, len(s.accepted))))
    assert seen == [(5, 5), (10, 10), (15, 15)]


@pytest.mark.parametrize(
    ("method", "language", "verdicts"),
    [
        ("default", "any", ["kept", "too_similar", "kept"]),
        ("default", "english", ["too_short", "too_short", "non_ascii"]),
        ("paper", "any", ["kept", "too_similar", "kept"]),
    ],
)
def test_the_language_decides_on_other_scripts(method: str, language: str, verdicts: list[str]) -> None:
    settings = GenerateConfig(method=method, language=language)  # type: ignore[arg-type]
    candidates = CandidateFilter([], settings)
    text = " 请写一首关于春天的诗\n2. 请写一首关于春天的诗。\n3. Напиши письмо старому другу"
    candidates.filter(Completion("instructions-000000-00", text, "stop", 1, 1), ())
    assert [outcome.verdict for outcome in candidates.outcomes] == verdicts


@pytest.mark.parametrize(("method", "verdicts"), [("default", ["kept"] * 2), ("paper", ["kept", "too_similar"])])
def test_words_of_another_script_in_an_english_instruction_count_but_in_method_paper(
    method: str, verdicts: list[str]
) -> None:
    candidates = CandidateFilter([], GenerateConfig(method=method))  # type: ignore[arg-type]
    text = " Translate this into English: 你好\n2. Translate this into English: 再见我的老朋友"
    candidates.filter(Completion("instructions-000000-00", text, "stop", 1, 1), ())
    assert [outcome.verdict for outcome in candidates.outcomes] == verdicts
