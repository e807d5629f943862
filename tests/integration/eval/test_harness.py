"""The task pack for lm-evaluation-harness: the real harness asks, answers and scores as our own evaluation does."""

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

import selfinstruct_eval
from selfinstruct_eval.examples import ExampleSet
from selfinstruct_eval.harness import documents
from selfinstruct_eval.predict import System, predict
from selfinstruct_eval.scores import evaluate_predictions
from selfinstruct_eval.tasks import BUILTIN_TINY, load_sets
from selfinstruct_train.config import Config, EvalConfig, ModelConfig, TrainConfig
from selfinstruct_train.core.model_source import model_source
from selfinstruct_train.core.names import BASE, METRICS
from selfinstruct_train.core.prompt_format import TemplateName
from selfinstruct_train.core.records import Sampling
from selfinstruct_train.lm import load_lm

SETS = {"tasks": "builtin:tiny", "user_oriented": "builtin:tiny"}


def test_the_documents_are_the_examples_with_the_prompt_of_the_template():
    given = {"tasks": "builtin:tiny", "template": "fixed", "max_instances_per_task": 2}
    docs = documents.superni(given, pretrained="any", version=1.0)["test"]
    assert len(docs) == 2 * len(set(docs["task"])) == 112
    assert docs[0]["prompt"] == f"Instruction: {docs[0]['instruction']}\nInput: {docs[0]['input']}\nResponse:"
    assert docs[0]["references"] and docs[0]["shown_category"] == ""
    paper = documents.user_oriented()["test"]
    assert len(paper) == 52 and paper[0]["prompt"].startswith("Task: ")


def test_a_task_s_own_examples_are_shown_within_a_limit_of_the_model_s_tokens():
    asked = {
        "tasks": "builtin:tiny",
        "max_instances_per_task": 1,
        "encoding": "tk_instruct",
        "num_positive_examples": 2,
    }
    prompt = documents.superni(asked)["test"][0]["prompt"]
    assert prompt.startswith("Definition: ") and "Positive Example 2 -" in prompt and prompt.endswith("Output: ")
    limited = documents.superni({**asked, "max_prompt_tokens": 48}, pretrained=model_source("builtin:tiny"))
    assert "Positive Example" not in limited["test"][0]["prompt"]
    with pytest.raises(ValueError, match="max_prompt_tokens needs the model's tokenizer"):
        documents.superni({**asked, "max_prompt_tokens": 48})


def test_a_misspelt_setting_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="metadata self_instruct: unknown key 'task'; known: template, by_category, t"):
        documents.superni({"task": "folder"})
    with pytest.raises(ValueError, match="metadata self_instruct: unknown key 'sampling'"):
        documents.superni({"sampling": {}})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("paper", "'paper' is no mapping of settings"),
        ({"template": "alpaca"}, "train.template: expected one of 'paper', 'fixed', 'chat', got alpaca"),
        ({"encoding": "tk"}, "eval.encoding: expected one of 'template', 'tk_instruct', got tk"),
        ({"by_category": "false"}, "by_category is 'false'; it must be true or false"),
        ({"max_instances_per_task": 0}, "eval.max_instances_per_task is 0; it must be at least 1"),
        ({"max_instances_per_task": 1.5}, "eval.max_instances_per_task: expected a value of type int, got 1.5"),
    ],
)
def test_a_setting_is_held_to_the_types_and_ranges_of_a_run_s(given: Any, message: str):
    for task in (documents.superni, documents.user_oriented):
        with pytest.raises(ValueError, match=f"^metadata self_instruct: {message}"):
            task(given | SETS if isinstance(given, dict) else given)


def test_no_built_in_set_is_asked_beside_one_that_is_named():
    with pytest.raises(ValueError, match='"user_oriented" is missing; name .*--tasks self_instruct_superni$'):
        documents.user_oriented({"tasks": "builtin:tiny"})
    with pytest.raises(ValueError, match='"tasks" is missing; name .*--tasks self_instruct_user_oriented$'):
        documents.superni({"user_oriented": "builtin:tiny"})
    with pytest.raises(ValueError, match='"user_oriented" is missing'):
        documents.user_oriented({"user_oriented": None})
    assert len(documents.user_oriented({"user_oriented": "builtin:tiny"})["test"]) == 52
    assert len(documents.superni(pretrained="any")["test"]) == 1400


def test_a_tokenizer_that_is_not_there_is_told_before_a_model_is_asked():
    with pytest.raises(ValueError, match="rouge_tokenizer: 'nowhere/at-all' cannot be loaded"):
        documents.superni({"tasks": "builtin:tiny", "rouge_tokenizer": "nowhere/at-all"})


def test_a_document_is_scored_in_percent_and_by_category_where_asked():
    doc = {"task": "t1", "references": ["the cat", "cats"], "shown_category": "", "rouge_tokenizer": ""}
    found = documents.score(doc, ["a cat"])
    means = {"rougeL": pytest.approx(200 / 3), "rouge1": pytest.approx(200 / 3), "exact_match": 0.0}
    assert found == means | {f"{metric}_stderr": ("t1", value) for metric, value in means.items()}
    by_words = documents.score(doc | {"shown_category": "Cats, dogs"}, ["a cat"])
    assert by_words["rougeL (Cats; dogs)"] == pytest.approx(200 / 3)
    by_label = documents.score(doc | {"shown_category": "Word Analogy"}, ["Cats!"])  # Tk-Instruct: exact match
    assert by_label["exact_match (Word Analogy)"] == 100.0 and "rougeL (Word Analogy)" not in by_label
    with_tokenizer = doc | {"references": ["ананас"], "rouge_tokenizer": model_source("builtin:tiny")}
    assert documents.score(with_tokenizer, ["ананас"])["rougeL"] == 100.0


def test_the_standard_error_takes_tasks_for_the_independent_draws():
    # mean 4; summed deviations -4 and +4; sqrt(2/1 * 32) / 4
    assert documents.standard_error_by_task([("a", 1.0), ("a", 3.0), ("b", 5.0), ("b", 7.0)]) == 2.0
    # each its own task, or all of one: sqrt(4/3 * (9 + 1 + 1 + 9)) / 4, the textbook's s / sqrt(n)
    alone = pytest.approx(math.sqrt(80 / 3) / 4)
    assert documents.standard_error_by_task([("a", 1.0), ("b", 3.0), ("c", 5.0), ("d", 7.0)]) == alone
    assert documents.standard_error_by_task([("a", 1.0), ("a", 3.0), ("a", 5.0), ("a", 7.0)]) == alone
    assert math.isnan(documents.standard_error_by_task([("a", 1.0)]))


@pytest.fixture
def sets(write_tasks: Callable[..., Path], tmp_path: Path) -> tuple[Path, Path]:
    """Three of the tiny world's tasks, and six of its user-oriented ones, the first without an input."""
    names = (BUILTIN_TINY / "splits" / "default" / "test_tasks.txt").read_text().split()[::20]
    tasks = {n: json.loads((BUILTIN_TINY / "tasks" / f"{n}.json").read_text(encoding="utf-8")) for n in names}
    lines = (BUILTIN_TINY / "user_oriented.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines[:6]]
    rows[0]["instances"][0]["input"] = ""
    user_oriented = tmp_path / "user_oriented.jsonl"
    user_oriented.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return write_tasks(**tasks), user_oriented


@dataclass(frozen=True)
class Asked:
    """How a task is put into a prompt."""

    template: TemplateName
    encoding: Literal["template", "tk_instruct"] = "template"


def ours(run_dir: Path, model: Path, sets: tuple[Path, Path], asked: Asked) -> dict[str, Any]:
    """Evaluate as `selfinstruct eval` does; return the scores and answers by set."""
    config = Config(
        run_dir=str(run_dir),
        model=ModelConfig(path=str(model)),
        train=TrainConfig(template=asked.template),
        eval=EvalConfig(
            tasks=str(sets[0]),
            user_oriented=str(sets[1]),
            max_instances_per_task=4,
            encoding=asked.encoding,
            sampling=Sampling(16),
        ),
    )
    lm, found = load_lm(config.model, config.model.path), {}
    for name, examples in load_sets(config.eval).items():
        texts = [c.text for c in predict(lm, System(BASE), name, examples, config)]
        evaluation = evaluate_predictions(ExampleSet(name, "", examples), {BASE: texts}, config.seed, 100)
        means = {metric: evaluation.find(BASE, metric).value for metric in METRICS}
        found[name] = means, {e.id: text for e, text in zip(examples, texts, strict=True)}
    return found


def theirs(folder: Path, model: Path, sets: tuple[Path, Path], asked: Asked, *flags: str) -> dict[str, Any]:
    """Evaluate with the harness; return its results and answers by set."""
    given = {"tasks": str(sets[0]), "user_oriented": str(sets[1]), "max_instances_per_task": 4, **asdict(asked)}
    command = (
        *(Path(sys.executable).parent / "lm_eval", "run", "--include_path", selfinstruct_eval.HARNESS),
        *("--tasks", "self_instruct", "--metadata", json.dumps({"self_instruct": given})),
        *("--model", "hf", "--model_args", f"pretrained={model},dtype=float32", "--device", "cpu"),
        *("--gen_kwargs", "max_gen_toks=16", "--batch_size", 4, "--log_samples", "--output_path", folder, *flags),
    )
    env = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    (results,) = folder.rglob("results_*.json")
    scores, found = json.loads(results.read_text(encoding="utf-8"))["results"], {}
    for name, task in (("tasks", "self_instruct_superni"), ("user_oriented", "self_instruct_user_oriented")):
        (samples,) = folder.rglob(f"samples_{task}_*.jsonl")
        rows = list(map(json.loads, samples.read_text(encoding="utf-8").splitlines()))
        found[name] = scores[task], {r["doc"]["id"]: r["filtered_resps"][0] for r in rows}
    return found


def assert_equal(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert list(ours) == list(theirs) == ["tasks", "user_oriented"]
    for name, (means, answers) in ours.items():
        results, texts = theirs[name]
        assert texts == answers and len(set(texts.values())) > 4
        for metric, value in means.items():
            assert results[f"{metric},none"] == pytest.approx(value, abs=1e-6)
        assert isinstance(results["rougeL_stderr,none"], float)


@pytest.mark.parametrize("encoding", ["template", "tk_instruct"])  # the second ends a prompt with a blank
def test_the_harness_gets_our_answers_and_our_scores(sets: tuple[Path, Path], tmp_path: Path, encoding: Any):
    model, asked = Path(model_source("builtin:tiny")), Asked("paper", encoding)
    mine = ours(tmp_path / "run", model, sets, asked)
    assert mine["tasks"][0]["rougeL"] > 0
    assert_equal(mine, theirs(tmp_path / "out", model, sets, asked))


def test_the_harness_asks_a_chat_model_as_we_do(sets: tuple[Path, Path], tmp_path: Path):
    """Its template begins with a BOS, of which there must be one; its generation_config.json has a penalty."""
    model = chat_model(tmp_path / "model")
    mine = ours(tmp_path / "run", model, sets, Asked("chat"))
    assert_equal(mine, theirs(tmp_path / "out", model, sets, Asked("chat"), "--apply_chat_template"))


def chat_model(folder: Path) -> Path:
    from transformers import AutoTokenizer

    shutil.copytree(model_source("builtin:tiny"), folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.bos_token = tokenizer.eos_token
    tokenizer.chat_template = (
        "{{ bos_token }}{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}"
    )
    tokenizer.save_pretrained(folder)
    generation = folder / "generation_config.json"
    generation.write_text(json.dumps(json.loads(generation.read_text()) | {"repetition_penalty": 1.5}))
    return folder
