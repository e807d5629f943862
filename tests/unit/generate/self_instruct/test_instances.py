"""Stage 3: templates, stop strings, token limits, and how many instances stay."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from selfinstruct_train.config import GenerateConfig
from selfinstruct_train.core.records import Completion, Instruction, Request, Sampling
from selfinstruct_train.generate.self_instruct.instances import InstanceOutcome, generate_instances, instance_sampling
from selfinstruct_train.lm.base import OnAnswer
from tests.support.generation import one_stage

SEVEN_LABELS = "".join(f"Class label: L{i}\nText: t{i}\n" for i in range(7))


class LabelLM:
    """Answers label-first prompts with seven labels, the others with one pair."""

    name = "labels"
    chunk_size = 3

    def __init__(self) -> None:
        self.limits: dict[str, int] = {}
        self.prompts: dict[str, str] = {}

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        self.limits |= {r.id: sampling.max_new_tokens for r in requests}
        self.prompts |= {r.id: r.prompt for r in requests}
        return [
            Completion(r.id, SEVEN_LABELS if r.prompt[0] == "O" else "Input: a\nOutput: b", "stop", 1, 1)
            for r in requests
        ]


def run(tmp_path: Path, lm: LabelLM, labels: list[bool], seed: int = 1, **settings: object) -> list[InstanceOutcome]:
    instructions = [Instruction(f"i{n}", f"Task {n}", "generated") for n in range(len(labels))]
    config = GenerateConfig(**settings)  # type: ignore[arg-type]
    with one_stage("instances", tmp_path, lm, config, seed=seed) as session:
        return generate_instances(session, instructions, labels)


def test_classification_tasks_are_asked_label_first_the_others_input_first(tmp_path: Path) -> None:
    lm = LabelLM()
    outcomes = run(tmp_path, lm, [True, False])
    assert lm.prompts == {"instances-i0": "O Task: Task 0\n", "instances-i1": "I Task: Task 1\n"}
    assert [(f.id, f.input, f.output, f.verdict) for f in outcomes[7:]] == [("i1-0", "a", "b", "kept")]


def test_the_stop_strings_are_the_example_after_the_last_and_the_next_task() -> None:
    assert instance_sampling(GenerateConfig()).stop == ("Example 6", "Task:")
    assert instance_sampling(GenerateConfig(max_instances=2)).stop == ("Example 3", "Task:")


def test_at_most_max_instances_stay_drawn_by_the_runs_seed(tmp_path: Path) -> None:
    drawn = []
    for seed in (1, 1, 2, 3):
        outcomes = run(tmp_path / str(len(drawn)), LabelLM(), [True], seed)
        assert [f.output for f in outcomes] == [f"L{i}" for i in range(7)]
        assert sorted(f.verdict for f in outcomes) == ["kept"] * 5 + ["over_max_instances"] * 2
        drawn.append([f.output for f in outcomes if f.verdict == "kept"])
    assert drawn[0] == drawn[1]
    assert len({tuple(d) for d in drawn}) > 1
    assert [f.verdict for f in run(tmp_path / "2", LabelLM(), [True], max_instances=2)].count("kept") == 2


def test_the_token_limit_is_fixed_in_default_and_depends_on_the_batch_of_five_in_paper(tmp_path: Path) -> None:
    labels = [False] * 5 + [False, True, False, False, False] + [False]
    lm = LabelLM()
    run(tmp_path / "default", lm, labels)
    assert set(lm.limits.values()) == {350}
    lm = LabelLM()
    outcomes = run(tmp_path / "paper", lm, labels, method="paper")
    assert list(lm.limits.values()).count(350) == 6
    assert {id for id, limit in lm.limits.items() if limit == 300} == {
        f"instances-i{n}-300-tokens" for n in range(5, 10)
    }
    assert list(dict.fromkeys(f.instruction_id for f in outcomes)) == [f"i{n}" for n in range(11)]


@pytest.mark.parametrize("limit", [128, 300])
def test_a_lower_limit_of_the_config_holds_in_paper_too(tmp_path: Path, limit: int) -> None:
    lm = LabelLM()
    run(tmp_path, lm, [True, False], method="paper", instance_sampling=Sampling(limit, stop=("Task:",)))
    assert set(lm.limits.values()) == {limit}
    assert set(lm.limits) == {"instances-i0", "instances-i1"}
