import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct_eval.examples import Example
from selfinstruct_eval.predict import (
    System,
    cut_at_blank_line,
    doubts,
    find_systems,
    journal_of,
    predict,
    read_answers,
    write_predictions,
)
from selfinstruct_eval.tasks import load_sets
from selfinstruct_train.config import BudgetConfig, Config, EvalConfig, ModelConfig, TrainConfig
from selfinstruct_train.core.records import BudgetReachedError, Completion, Request, Sampling
from selfinstruct_train.lm.base import OnAnswer
from tests.support.ni_tasks import ni_task

BASE = System("base")
EXAMPLES = [Example(f"a-{i}", "a", "c", "Say it.", text, ("x",)) for i, text in enumerate(["one", "", "three"])]


class Parrot:
    """Answers with the prompt's length and remembers what it was asked."""

    name = "parrot"
    chunk_size = 2

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        self.asked += requests
        return [Completion(r.id, f" {len(r.prompt)}", "stop", 1, 1) for r in requests]


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(run_dir=str(tmp_path / "run"), model=ModelConfig(path="hub/name"))


def test_examples_are_asked_in_the_prompt_format_of_training(config: Config):
    lm = Parrot()
    fixed = replace(config, train=TrainConfig(template="fixed"))
    predict(lm, BASE, "tasks", EXAMPLES, fixed)
    assert [r.prompt for r in lm.asked] == [
        "Instruction: Say it.\nInput: one\nResponse:",
        "Instruction: Say it.\nResponse:",
        "Instruction: Say it.\nInput: three\nResponse:",
    ]
    lm = Parrot()
    predict(lm, BASE, "user_oriented", EXAMPLES[:1], replace(config, run_dir=config.run_dir + "2"))
    assert lm.asked[0].prompt == "Task: Say it.\nInput: one\nOutput:"


def test_with_the_chat_template_an_example_is_the_users_message_of_a_chat(config: Config):
    lm = Parrot()
    predict(lm, BASE, "tasks", EXAMPLES, replace(config, train=TrainConfig(template="chat")))
    assert [(r.prompt, r.chat) for r in lm.asked] == [
        ("Say it.\n\none", True),
        ("Say it.", True),
        ("Say it.\n\nthree", True),
    ]


def test_a_journaled_answer_is_not_asked_again(config: Config):
    first = Parrot()
    answers = predict(first, BASE, "tasks", EXAMPLES[:2], config)
    second = Parrot()
    assert predict(second, BASE, "tasks", EXAMPLES, config)[:2] == answers
    assert [r.id for r in second.asked] == ["tasks/a-2"]


def test_equal_ids_in_two_sets_are_two_questions(config: Config):
    lm = Parrot()
    predict(lm, BASE, "tasks", EXAMPLES, config)
    predict(lm, BASE, "user_oriented", EXAMPLES, config)
    assert len(lm.asked) == 6


def test_other_settings_are_refused_naming_them(config: Config):
    predict(Parrot(), BASE, "tasks", EXAMPLES, config)
    other = replace(config, eval=EvalConfig(sampling=Sampling(max_new_tokens=7)))
    with pytest.raises(ValueError, match=r"sampling.max_new_tokens: 128 there, 7 now"):
        predict(Parrot(), BASE, "tasks", EXAMPLES, other)


def test_settings_of_the_encoding_stand_in_the_header_only_where_they_are_set(config: Config):
    path, header = journal_of(BASE, config)
    assert path == Path(config.run_dir) / "journal" / "eval-base.jsonl"
    assert list(header) == ["stage", "system", "seed", "template", "num_positive_examples", "sampling"]
    few = replace(config, eval=EvalConfig(encoding="tk_instruct", explanations=True, max_prompt_tokens=1024))
    more = journal_of(BASE, few)[1]
    assert (more["encoding"], more["explanations"], more["max_prompt_tokens"]) == ("tk_instruct", True, 1024)
    predict(Parrot(), BASE, "tasks", EXAMPLES, config)
    with pytest.raises(ValueError, match=r'encoding: .absent. there, "tk_instruct" now'):
        predict(Parrot(), BASE, "tasks", EXAMPLES, few)


def test_an_interrupted_evaluation_goes_on_where_it_was(config: Config):
    class Interrupted(Parrot):
        def complete(self, requests, sampling, on_answer=None):
            if self.asked:
                raise KeyboardInterrupt
            return super().complete(requests, sampling, on_answer)

    with pytest.raises(KeyboardInterrupt):
        predict(Interrupted(), BASE, "tasks", EXAMPLES, config)
    again = Parrot()
    assert len(predict(again, BASE, "tasks", EXAMPLES, config)) == 3
    assert [r.id for r in again.asked] == ["tasks/a-2"]  # the first two came in one chunk


def test_the_evaluation_stays_within_the_budget_and_goes_on_when_it_is_raised(config: Config):
    class Wordy(Parrot):
        def complete(self, requests, sampling, on_answer=None):
            return [replace(c, completion_tokens=100) for c in super().complete(requests, sampling, on_answer)]

    # at worst 32 tokens of prompt and 128 of answer; an answer costs 101
    def limited(number: int) -> Config:
        return replace(config, budget=BudgetConfig(max_tokens=number))

    asked = []
    for limit, reached in ((100, True), (200, True), (None, False)):
        lm = Wordy()
        if reached:
            with pytest.raises(BudgetReachedError, match=r"budget.max_tokens is reached"):
                predict(lm, BASE, "tasks", EXAMPLES, limited(limit))
        else:
            predict(lm, BASE, "tasks", EXAMPLES, config)
        asked.append([r.id for r in lm.asked])
    assert asked == [[], ["tasks/a-0"], ["tasks/a-1", "tasks/a-2"]]


def test_a_model_trained_again_is_asked_again_and_an_unchanged_one_is_not(config: Config, tmp_path: Path):
    folder = tmp_path / "run" / "model" / "seeds"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"one")
    system = System("seeds", "trained", str(folder))
    asked = []
    for weights in (b"one", b"one", b"two", b"one"):
        (folder / "model.safetensors").write_bytes(weights)
        lm = Parrot()
        predict(lm, system, "tasks", EXAMPLES, config)
        asked.append(len(lm.asked))
    assert asked == [3, 0, 3, 0]


def test_systems_are_the_base_and_each_trained_model_that_is_there(config: Config, tmp_path: Path):
    both = replace(config, train=TrainConfig(mixtures=("seeds+generated", "seeds")))
    assert find_systems(both) == [BASE]
    for mixture in ("seeds+generated", "seeds", "other"):
        folder = tmp_path / "run" / "model" / mixture
        folder.mkdir(parents=True)
        (folder / "model.safetensors").touch()
    assert [s.name for s in find_systems(both)] == ["base", "seeds", "seeds+generated"]
    assert [s.name for s in find_systems(config)] == ["base", "seeds+generated"]
    (tmp_path / "run" / "model" / "seeds" / "model.safetensors").unlink()
    assert [s.name for s in find_systems(both)] == ["base", "seeds+generated"]


def test_a_model_that_is_not_there_or_not_proven_is_told_with_the_remedy(config: Config, tmp_path: Path):
    both = replace(config, train=TrainConfig(mixtures=("seeds", "seeds+generated")))
    weights = Path(config.run_dir) / "model" / "seeds" / "model.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")
    lacking = f"seeds+generated is not evaluated: {weights.parents[1]}/seeds+generated holds no model; run "
    for state, told in (
        ("passed", []),
        ("not verified", ["seeds is evaluated, but these weights are not verified; run `selfinstruct verify`"]),
        (
            "failed",
            [f"seeds is evaluated, but it failed its verification: {weights.parent}/verification.json says why"],
        ),
    ):
        *found, last = doubts(both, lambda _, state=state: state)
        assert found == told
        assert last.startswith(lacking + "`selfinstruct train` first")


def test_a_base_that_is_no_model_is_refused_before_anything_is_loaded(config: Config, tmp_path: Path):
    with pytest.raises(ValueError, match=r"model.path"):
        find_systems(replace(config, model=ModelConfig(path=str(tmp_path))))


def test_a_further_model_that_is_none_is_refused_by_its_name(config: Config, tmp_path: Path):
    with pytest.raises(ValueError, match=r"^eval.models, 'mine': .* holds no model"):
        find_systems(replace(config, eval=EvalConfig(models={"mine": str(tmp_path)})))


def test_no_further_model_takes_the_name_of_a_published_system(config: Config):
    with pytest.raises(ValueError, match=r"eval.models: 'GPT3-SelfInst' is the name of a published system"):
        find_systems(replace(config, eval=EvalConfig(models={"GPT3-SelfInst": "hub/mine"})))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" cow\n\nInput: a hen", "cow"),
        ("cow\nhen\n  \nfox", "cow\nhen"),
        ("\n\ncow\n\nhen", "cow"),
        (" cow ", "cow"),
        ("", ""),
    ],
)
def test_the_cut_ends_at_the_first_blank_line_behind_the_first_word(text, kept):
    assert cut_at_blank_line(text) == kept


def test_predictions_are_written_one_a_line(config: Config):
    answers = predict(Parrot(), BASE, "tasks", EXAMPLES, config)
    path = write_predictions(config.run_dir, "base", "tasks", EXAMPLES, answers)
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert path == Path(config.run_dir) / "eval" / "base" / "predictions.jsonl"
    assert rows[0] == {
        "id": "a-0",
        "task": "a",
        "instruction": "Say it.",
        "input": "one",
        "prediction": " 32",  # the characters of "Task: Say it.\nInput: one\nOutput:"
        "references": ["x"],
        "finish_reason": "stop",
    }
    assert [p.name for p in path.parent.iterdir()] == ["predictions.jsonl"]


def _files_of(config: Config, write_tasks: Callable[..., Path], tmp_path: Path) -> Config:
    """A run with two systems' answers to one task, and to one user-oriented task beside published answers."""
    user = tmp_path / "human" / "user.jsonl"
    (user.parent / "predictions").mkdir(parents=True)
    rows = [{"id": f"u{i}", "instruction": f"Greet {i}.", "instances": [{"input": "", "output": "Hi"}]} for i in (0, 1)]
    user.write_text("".join(json.dumps(row) + "\n" for row in rows))
    published = [{"instruction": f"Greet {i}.", "input": "", "response": f"Ho {i}"} for i in (1, 0)]
    for name in ("text-davinci-001", "davinci", "unknown"):
        (user.parent / "predictions" / f"{name}_predictions.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in published)
        )
    folder = tmp_path / "run" / "model" / "seeds"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").touch()
    root = write_tasks(task001_a=ni_task())
    evaluation = EvalConfig(tasks=str(root), user_oriented=str(user))
    return replace(config, eval=evaluation, train=TrainConfig(mixtures=("seeds",)))


def test_answers_are_read_back_for_every_system_and_the_published_ones(config, write_tasks, tmp_path: Path):
    config = _files_of(config, write_tasks, tmp_path)
    for name, examples in load_sets(config.eval).items():
        for system in ("base", "seeds"):
            texts = [Completion(e.id, f"{system} {e.id}\n\nmore", "stop", 1, 1) for e in examples]
            write_predictions(config.run_dir, system, name, list(reversed(examples)), list(reversed(texts)))
    tasks = read_answers(config, load_sets(config.eval), "tasks")
    assert list(tasks) == ["base", "base, cut", "seeds"]
    assert tasks["seeds"] == ["seeds a-0\n\nmore", "seeds a-1\n\nmore", "seeds a-2\n\nmore"]
    assert tasks["base, cut"] == ["base a-0", "base a-1", "base a-2"]
    user = read_answers(config, load_sets(config.eval), "user_oriented")
    assert list(user) == ["base", "base, cut", "seeds", "GPT3", "InstructGPT-001"]
    assert user["GPT3"] == ["Ho 0", "Ho 1"]


def test_answers_that_are_not_there_are_asked_for_in_one_line(config, write_tasks, tmp_path: Path):
    config = _files_of(config, write_tasks, tmp_path)
    with pytest.raises(ValueError, match=r"base/predictions.jsonl: no such file; run `selfinstruct eval`"):
        read_answers(config, load_sets(config.eval), "tasks")
    with pytest.raises(
        ValueError, match="no set 'user_oriented' .* eval.user_oriented names no file.* --judge.set tasks"
    ):
        config = replace(config, eval=replace(config.eval, user_oriented=None))
        read_answers(config, load_sets(config.eval), "user_oriented")
