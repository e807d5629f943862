"""What an experiment takes over from its run, and how its scores are read."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct_eval.experiment import adopt_answers, arms_table, read_arm_scores, title_of
from selfinstruct_train.config import Config, EvalConfig, ModelConfig, Sampling


def score(system: str, value: float, **changes) -> dict:
    row = {"system": system, "against": None, "kind": "overall", "metric": "rougeL", "value": value}
    return {**row, "low": value - 1, "high": value + 2, "n": 60, "group": "all", "num_tasks": 6, **changes}


def comparison(system: str, against: str, value: float, verdict: str, **changes) -> dict:
    row = {"system": system, "against": against, "metric": "rougeL", "value": value, "low": value - 1.5}
    return {
        **row,
        "high": value + 2.5,
        "p": 0.01,
        "p_adjusted": 0.02,
        "minimum_detectable": 3.0,
        "verdict": verdict,
    } | (changes)


SCORED = {
    "set": "tasks",
    "num_examples": 60,
    "num_tasks": 6,
    "scores": [
        score("base", 1.0),
        score("own outputs", 40.0),
        score("own outputs", 99.0, metric="exact_match"),
        score("own outputs", 98.0, kind="category", group="Lists"),
        score("own outputs", 39.0, against="base"),
        score("relabelled outputs", 44.0),
    ],
    "comparisons": [
        comparison("own outputs", "base", 39.0, "better"),
        comparison("relabelled outputs", "base", 43.0, "better"),
        comparison("relabelled outputs", "own outputs", 9.0, "better", metric="exact_match"),
        comparison("relabelled outputs", "own outputs", 4.0, "better"),
    ],
}
ARMS = ["own outputs", "relabelled outputs"]


def write_scores(run_dir: Path, content: object) -> Path:
    (run_dir / "eval").mkdir(parents=True, exist_ok=True)
    (run_dir / "eval/scores.json").write_text(json.dumps(content))
    return run_dir


def test_arms_stand_against_the_reference_whichever_comes_first(tmp_path):
    (scores,) = read_arm_scores(write_scores(tmp_path, [SCORED]), ARMS, "own outputs")
    own, new = scores.arms
    assert (own.value, own.low, own.high, own.difference) == (40.0, 39.0, 42.0, None)
    d = new.difference
    assert (d.value, d.low, d.high, d.verdict, d.p, d.minimum_detectable) == (4.0, 2.5, 6.5, "better", 0.02, 3.0)
    d = scores.base.difference  # stands as own outputs over base: mirrored
    assert (d.value, d.low, d.high, d.verdict) == (-39.0, -41.5, -37.5, "worse")


def test_a_page_names_the_run_before_its_experiment():
    assert (title_of("runs/tiny/scale"), title_of("runs/tiny")) == ("tiny / scale", "tiny")


def test_the_table_tells_sizes_scores_and_differences(tmp_path):
    (scores,) = read_arm_scores(write_scores(tmp_path, [SCORED]), ARMS, "own outputs")
    table = arms_table(scores, {"own outputs": (469, 1402), "relabelled outputs": (469, 1402)}, "own outputs")
    lines = [" ".join(line.split()) for line in table.splitlines()]
    assert lines[0] == "test tasks: ROUGE-L of 60 examples of 6 tasks, 95 % intervals"
    assert lines[2] == "base 1.0 [0.0, 3.0] -39.0 [-41.5, -37.5] worse"
    assert lines[3] == "own outputs 469 1,402 40.0 [39.0, 42.0]"
    assert lines[4] == "relabelled outputs 469 1,402 44.0 [43.0, 46.0] +4.0 [+2.5, +6.5] better"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "scores.json: no such file"),
        ([{**SCORED, "comparisons": []}], "not the scores of this experiment"),
        ([{**SCORED, "scores": SCORED["scores"][:1]}], "not the scores of this experiment"),
        ({"set": 1}, "not the scores of this experiment"),
    ],
)
def test_scores_of_something_else_are_one_line(tmp_path, content, message):
    if content is not None:
        write_scores(tmp_path, content)
    with pytest.raises(ValueError, match=message):
        read_arm_scores(tmp_path, ARMS, "own outputs")


def make_run(tmp_path: Path) -> tuple[Config, Config]:
    """A run with a base and one trained model, both answered; an experiment that names the trained one and another."""
    for name in ("base", "run/model/seeds+generated", "other"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_text(name)
        (folder / "config.json").write_text("{}")
        (folder / "tokenizer.json").write_text("{}")
    run = Config(run_dir=str(tmp_path / "run"), model=ModelConfig(path=str(tmp_path / "base")))
    models = {"40 instructions": str(tmp_path / "other"), "80 instructions": f"{run.run_dir}/model/seeds+generated"}
    return run, replace(run, run_dir=f"{run.run_dir}/scale", eval=EvalConfig(models=models))


LM = "builtin:tiny@e669d13ebc84 transformers float32"


def answer(config: Config, system: str) -> dict:
    from selfinstruct_eval.predict import find_systems, journal_of

    path, header = journal_of(next(s for s in find_systems(config) if s.name == system), config)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"format": 1, **header, "lm": LM}) + '\n{"id": "a"}\n')
    return header


def test_answers_of_the_base_and_of_the_same_weights_are_taken_over(tmp_path):
    run, experiment = make_run(tmp_path)
    answer(run, "base")
    answer(run, "seeds+generated")
    copied = adopt_answers(run, experiment)
    journals = {p.name.rpartition("-")[0]: p.read_text().splitlines() for p in copied}
    assert sorted(journals) == ["eval-80 instructions", "eval-base"]
    assert {p.parent for p in copied} == {tmp_path / "run/scale/journal"}
    assert json.loads(journals["eval-80 instructions"][0])["system"] == "80 instructions"
    assert json.loads(journals["eval-80 instructions"][0])["lm"] == LM
    assert [lines[1:] for lines in journals.values()] == [['{"id": "a"}']] * 2
    assert adopt_answers(run, experiment) == []  # what is there stays


def test_answers_to_other_settings_are_left_alone(tmp_path):
    run, experiment = make_run(tmp_path)
    answer(replace(run, eval=EvalConfig(sampling=Sampling(max_new_tokens=5))), "base")
    assert adopt_answers(run, experiment) == []
    assert not (tmp_path / "run/scale").exists()


def test_answers_by_another_backend_are_asked_again(tmp_path):
    """Taken over, they would be refused when the model is loaded, and again after they were deleted."""
    run, experiment = make_run(tmp_path)
    answer(run, "base")
    vllm = replace(experiment, model=replace(experiment.model, backend="vllm"))
    assert adopt_answers(run, vllm) == []
    (run_journal,) = (tmp_path / "run/journal").iterdir()
    run_journal.write_bytes(b'{"format": 1')  # torn as it was begun
    assert adopt_answers(run, experiment) == []


def test_answers_to_prompts_that_were_put_otherwise_are_left_alone(tmp_path):
    # the journal names a limit that the defaults do not even mention
    run, experiment = make_run(tmp_path)
    answer(replace(run, eval=EvalConfig(max_prompt_tokens=1024)), "base")
    assert adopt_answers(run, experiment) == []


def test_answers_by_another_backend_are_left_alone_and_a_server_is_none_of_the_evaluation(tmp_path):
    run, experiment = make_run(tmp_path)
    answer(run, "base")
    vllm = replace(experiment, model=replace(experiment.model, backend="vllm"))
    assert adopt_answers(run, vllm) == []
    served = replace(experiment, model=replace(experiment.model, backend="http"))
    assert [path.name.rpartition("-")[0] for path in adopt_answers(run, served)] == ["eval-base"]
