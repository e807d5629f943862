"""The run of an evaluation with a scripted model, and the scoring of files, published ones included."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct_eval import evaluate
from selfinstruct_eval.evaluate import evaluate_files, evaluate_run, file_lines
from selfinstruct_eval.predict import System, read_answers
from selfinstruct_eval.report.report import rewrite_report
from selfinstruct_eval.scores import summary
from selfinstruct_eval.tasks import load_sets
from selfinstruct_train.config import BudgetConfig, Config, EvalConfig, ModelConfig, TrainConfig
from selfinstruct_train.core.records import BudgetReachedError, Completion
from tests.support.ni_tasks import ni_task


class Scripted:
    """Answers the references' words where it is a good one; interrupted after `patience` answers."""

    chunk_size = 2
    asked: list[str]

    def __init__(self, path: str, log: list[str], patience: int = 10**9) -> None:
        self.name, self._log, self._patience = path, log, patience

    def complete(self, requests, sampling, on_answer=None):
        answers = []
        for request in requests:
            if len(self._log) >= self._patience:
                raise KeyboardInterrupt
            self._log.append(f"{self.name} {request.id}")
            text = "hen" if "good" in self.name else "x\n\nhen"
            answers.append(Completion(request.id, text, "stop", 3, 2))
            if on_answer is not None:
                on_answer(answers[-1:])
        return answers


@pytest.fixture
def config(write_tasks: Callable[..., Path], tmp_path: Path) -> Config:
    """A run with a trained model, a further one, three examples of one task and twelve of the user-oriented kind."""
    user = tmp_path / "human" / "user.jsonl"
    (user.parent / "predictions").mkdir(parents=True)
    rows = [
        {"id": f"u{i}", "instruction": f"Greet {i}.", "instances": [{"input": "", "output": "hen"}],
         "motivation_app": "Mail"} for i in range(12)
    ]  # fmt: skip
    user.write_text("".join(json.dumps(row) + "\n" for row in rows))
    published = [{"instruction": f"Greet {i}.", "input": "", "response": "a hen"} for i in range(12)]
    (user.parent / "predictions" / "davinci_predictions.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in published)
    )
    trained = tmp_path / "run" / "model" / "seeds+generated"
    trained.mkdir(parents=True)
    (trained / "model.safetensors").write_bytes(b"weights")
    return Config(
        run_dir=str(tmp_path / "run"),
        model=ModelConfig(path="hub/base"),
        train=TrainConfig(template="fixed"),
        eval=EvalConfig(tasks=str(write_tasks(task001_a=ni_task())), user_oriented=str(user),
                        models={"further": "hub/good"}, bootstrap_samples=100),
    )  # fmt: skip


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """scripted(patience) -> the log of what is asked from now on."""

    def start(patience: int = 10**9) -> list[str]:
        log: list[str] = []
        import selfinstruct_train.lm as door

        monkeypatch.setattr(door, "load_lm", lambda model, path: Scripted(Path(path).name, log, patience))
        return log

    return start


def test_a_run_is_scored_beside_further_models_and_the_published_ones(config: Config, scripted):
    log = scripted()
    done = evaluate_run(config)
    assert len(log) == 3 * (3 + 12)
    tasks, user = done.evaluations
    assert tasks.kinds == {"base": "base", "base, cut": "base", "seeds+generated": "trained", "further": "other"}
    assert list(user.kinds.items())[-1] == ("GPT3", "published")
    assert user.find("further", "exact_match").value == 100.0
    assert user.find("GPT3", "rouge1", "category", "Mail").value == pytest.approx(66.6667, abs=1e-4)  # P 1/2, R 1
    assert user.compare("GPT3", "further", "exact_match").value == -100.0
    scores = json.loads((Path(config.run_dir) / "eval" / "scores.json").read_text())
    assert [s["set"] for s in scores] == ["tasks", "user_oriented"]
    assert scores[1]["systems"]["GPT3"].keys() == {"kind", "answers"} and "GPT3" not in scores[1]["weights"]
    assert scores[1]["systems"]["GPT3"]["kind"] == "published"
    assert scores[0]["prompt"] == {"num_positive_examples": 0}
    assert [(s["rouge_tokenizer"], s["split"]) for s in scores] == [(None, "default"), (None, None)]
    assert scores[1]["weights"]["seeds+generated"] is not None
    assert not any("GPT3" in (r["system"], r["against"]) for r in scores[0]["scores"])
    lines = summary(tasks)
    assert [line.split()[0] for line in lines] == ["base", "tuned", "gain", "further"]
    assert "cannot be told apart from base, 3 examples" in lines[2] and "+0.0 ROUGE-L" in lines[2]


def test_a_report_is_not_written_again_by_other_words_than_were_scored(config: Config, scripted):
    scripted()
    evaluate_run(config)
    assert [path.name for path in rewrite_report(config)] == ["report.html", "report.md", "report.json"]
    with pytest.raises(ValueError, match=r"scores.json: scored with eval.rouge_tokenizer null, which is gpt2 now; set"):
        rewrite_report(replace(config, eval=replace(config.eval, rouge_tokenizer="gpt2")))


def test_further_models_stand_in_place_of_a_trained_one(config: Config, scripted):
    scripted()
    (Path(config.run_dir) / "model" / "seeds+generated" / "model.safetensors").unlink()
    lines = summary(evaluate_run(config).evaluations[1])
    assert [line.split()[0] for line in lines] == ["base", "further"]
    # by as much in all of 12 tasks: t(11) = 2.201, 4.844 / 16.844 may differ by 100 the other way
    assert lines[1].endswith("cannot be told apart from base, +33.3 over base (-5.0 to +52.5)")


def test_an_interrupted_evaluation_asks_nothing_twice(config: Config, scripted):
    whole = scripted()
    undisturbed = evaluate_run(replace(config, run_dir=config.run_dir)).evaluations
    for journal in (Path(config.run_dir) / "journal").iterdir():
        journal.unlink()
    parts = []
    for patience in (4, 11, 10**9):
        log = scripted(patience)
        if patience < 10**9:
            with pytest.raises(KeyboardInterrupt):
                evaluate_run(config)
        else:
            again = evaluate_run(config).evaluations
        parts += log
    assert sorted(parts) == sorted(whole)
    assert [e.scores for e in again] == [e.scores for e in undisturbed]


def test_a_reached_budget_stops_it_and_the_raised_one_goes_on(config: Config, scripted):
    first = scripted()
    with pytest.raises(BudgetReachedError, match=r"budget.max_tokens is reached"):
        evaluate_run(replace(config, budget=BudgetConfig(max_tokens=220)))
    second = scripted()
    evaluate_run(config)
    assert 0 < len(first) < 45 and len(first) + len(second) == 45


def test_a_model_that_cannot_be_loaded_is_named_and_no_server_is_blamed(config: Config, monkeypatch):
    import selfinstruct_train.lm as door

    def load(model, path):
        raise ValueError(f"{path} is not there")

    monkeypatch.setattr(door, "load_lm", load)
    served = replace(config, model=replace(config.model, backend="http"))
    with pytest.raises(ValueError, match=r"^hub/base is not there; no server is asked here, model.backend http or not"):
        evaluate_run(served)
    further = System("further", "other", "hub/good")
    with pytest.raises(ValueError, match=r"^eval.models, 'further': hub/good is not there$"):
        evaluate._load(config, further)


def test_a_model_without_a_price_is_refused_before_any_is_asked_where_money_is_limited(config: Config, scripted):
    log = scripted()
    with pytest.raises(ValueError, match=r"budget.max_cost is 1.0, but budget.prices has no price for model.path"):
        evaluate_run(replace(config, budget=BudgetConfig(max_cost=1.0)))
    assert log == []


def test_answers_that_are_all_empty_score_0_with_a_warning(config: Config, tmp_path: Path, caplog):
    file = tmp_path / "silent.jsonl"
    file.write_text("".join(json.dumps({"id": f"a-{i}", "prediction": " " * i}) + "\n" for i in range(3)))
    with caplog.at_level(logging.WARNING):
        (e,) = evaluate_files(config, [str(file)]).evaluations
    assert e.find("silent").value == 0.0
    assert "every answer of silent to tasks is empty" in caplog.text


def test_files_are_compared_with_each_other_and_with_the_published_ones(config: Config, tmp_path: Path):
    paths = []
    for name, text in (("one", "hen"), ("two", "x")):
        (tmp_path / name).mkdir()
        file = tmp_path / name / "predictions.jsonl"
        file.write_text("".join(json.dumps({"id": f"u{i}", "prediction": text}) + "\n" for i in range(12)))
        paths.append(str(file))
    done = evaluate_files(config, paths, str(tmp_path / "scores.json"))
    (e,) = done.evaluations
    one, two = paths
    assert e.kinds == {one: "other", two: "other", "GPT3": "published"}
    assert e.compare(two, one).verdict == "worse"
    lines = file_lines(e)
    assert lines[0] == one and lines[1].startswith(
        "rougeL       100.0000  (95 % interval 71.2 to 100.0)"
    )  # Wilson, t(11) = 2.201: 12 / (12 + 2.201^2)
    assert lines[8].startswith("rougeL        66.6667") and lines[8].endswith(", GPT3")
    assert lines[9].startswith(f"{two} worse than {one}: -100.0 rougeL") and len(lines) == 12
    assert [c["system"] for c in json.loads(done.files[0].read_text())["comparisons"][:3]] == [two, "GPT3", "GPT3"]
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text("".join(json.dumps({"id": f"a-{i}", "prediction": "x"}) + "\n" for i in range(3)))
    with pytest.raises(ValueError, match=r"tasks.jsonl answers tasks, but .*predictions.jsonl user_oriented; give"):
        evaluate_files(config, [paths[0], str(tasks)])


def test_a_published_file_is_not_compared_with_itself(config: Config):
    path = Path(str(config.eval.user_oriented)).parent / "predictions" / "davinci_predictions.jsonl"
    (e,) = evaluate_files(config, [str(path)]).evaluations
    assert e.kinds == {"davinci_predictions": "other"} and len(file_lines(e)) == 3


def test_no_file_takes_another_ones_name_or_a_published_systems(config: Config, tmp_path: Path):
    paths = []
    for name, text in (("GPT3.jsonl", "x"), ("mine.jsonl", "hen"), ("mine.json", "x hen"), ("base, cut.jsonl", "x")):
        paths.append(str(tmp_path / name))
        rows = ({"id": f"u{i}", "prediction": text} for i in range(12))
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (e,) = evaluate_files(config, paths).evaluations
    assert e.kinds == {**dict.fromkeys(paths, "other"), "GPT3": "published"}
    found = [round(e.find(system).value, 4) for system in e.kinds]
    assert found == [0.0, 100.0, 66.6667, 0.0, 66.6667]
    assert len(e.comparisons) == 3 * 10  # of all five, the one called base, cut too


def test_the_cross_lingual_split_without_a_tokenizer_is_warned_of(config: Config, caplog):
    with caplog.at_level(logging.WARNING):
        assert evaluate.rouge_tokenizer(config) is None
        assert caplog.text == ""
        assert evaluate.rouge_tokenizer(replace(config, eval=replace(config.eval, split="xlingual"))) is None
    assert "--eval.rouge_tokenizer gpt2" in caplog.text


def test_judges_read_the_answers_that_the_run_left(config: Config, scripted):
    scripted()
    evaluate_run(config)
    answers = read_answers(config, load_sets(config.eval), "user_oriented")
    assert list(answers) == ["base", "base, cut", "seeds+generated", "further", "GPT3"]
    assert (answers["base"][0], answers["base, cut"][0]) == ("x\n\nhen", "x")
