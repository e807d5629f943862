"""`selfinstruct eval` as a user calls it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from selfinstruct_train.core.model_source import fingerprint
from tests.support.cli import Done, run_cli
from tests.support.ni_tasks import ni_task
from tests.support.paths import ROOT

COMMAND = [sys.executable, "-m", "selfinstruct_train", "eval"]
Evaluate = Callable[..., Done]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config that leaves all to the command line."""
    file = tmp_path / "run.yaml"
    file.write_text("{}\n")
    return file


@pytest.fixture
def evaluate(config: Path) -> Evaluate:
    return lambda *args: run_cli("eval", *([] if "--predictions" in args else [config]), *args)


def test_published_predictions_are_scored_and_compared(shared_data: Path, tmp_path: Path):
    """In a process of its own, as a user starts it."""
    human = shared_data / "official" / "human_eval"
    systems = ("davinci", "davinci-self-instruct", "text-davinci-001")
    files = [f"--predictions={human / 'predictions' / f'{system}_predictions.jsonl'}" for system in systems]
    done = subprocess.run(
        [*COMMAND, *files, f"--eval.tasks={shared_data / 'natural_instructions'}",
         "--eval.split=real_subset", f"--eval.user_oriented={human / 'user_oriented_instructions.jsonl'}",
         f"--scores={tmp_path / 'scores.json'}"],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    figures = {lines[i]: [line.split()[1] for line in (lines[i + 1], lines[i + 3])] for i in (0, 4, 8)}
    assert figures == {
        "davinci_predictions": ["2.8252", "0.0000"],
        "davinci-self-instruct_predictions": ["28.1317", "9.1270"],
        "text-davinci-001_predictions": ["29.0001", "8.3333"],
    }
    assert "text-davinci-001_predictions cannot be told apart from davinci-self-instruct_predictions" in lines[-1]
    assert json.loads((tmp_path / "scores.json").read_text())["num_examples"] == 252


def error_of(done: Done) -> str:
    assert done.returncode == 2 and done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("error: "), done.stderr
    return lines[0]


def test_bad_predictions_files_are_one_clear_line(evaluate: Evaluate, write_tasks: Callable[..., Path], tmp_path: Path):
    root = write_tasks(task001_a=ni_task())
    file = tmp_path / "p.jsonl"
    file.write_text("")
    assert "p.jsonl: the file is empty" in error_of(evaluate("--predictions", file, "--eval.tasks", root))
    file.write_text('{"id": "other-1", "prediction": "x"}\n')
    assert "none of its 1 predictions belong to tasks" in error_of(
        evaluate("--predictions", file, "--eval.tasks", root)
    )
    missing = tmp_path / "none.jsonl"
    assert "none.jsonl: no such file" in error_of(evaluate("--predictions", missing, "--eval.tasks", root))


def test_scores_without_predictions_are_one_clear_line(evaluate: Evaluate, tmp_path: Path):
    line = error_of(evaluate("--scores", tmp_path / "scores.json", "--run_dir", tmp_path / "run"))
    assert "--scores is for --predictions" in line and not (tmp_path / "run").exists()


def test_bad_tasks_are_one_clear_line_before_a_model_is_loaded(
    evaluate: Evaluate, write_tasks: Callable[..., Path], tmp_path: Path
):
    settings = ("--run_dir", tmp_path / "run", "--model.path", "no/such-model")
    root = write_tasks(task001_a={"Definition": ["x"]})
    assert 'task001_a.json: no Natural Instructions v2 task: "Categories" is missing' in error_of(
        evaluate(*settings, "--eval.tasks", root)
    )
    root = write_tasks(task001_a=ni_task(Instances=[{"id": "a", "input": "x", "output": []}]))
    assert "instance 0 has no reference" in error_of(evaluate(*settings, "--eval.tasks", root))
    assert "no such folder" in error_of(evaluate(*settings, "--eval.tasks", tmp_path / "nowhere"))
    assert not (tmp_path / "run").exists()


def test_help_names_both_uses(evaluate: Evaluate):
    done = evaluate("--help")
    assert done.returncode == 0
    assert "--predictions FILE" in done.stdout and "--eval.user_oriented" in done.stdout


def test_a_run_is_evaluated_and_repeating_it_asks_nothing_again(
    evaluate: Evaluate, write_tasks: Callable[..., Path], tmp_path: Path
):
    """A real (random) model through the whole command: the base and one trained model."""
    model = _random_model(tmp_path / "base", seed=0)
    _random_model(tmp_path / "run" / "model" / "seeds", seed=1)
    root = write_tasks(task001_a=ni_task(), task002_b=ni_task(Instances=[{"id": "b-0", "input": "x", "output": ["y"]}]))
    settings = ("--run_dir", tmp_path / "run", "--model.path", model, "--eval.tasks", root)
    limits = ("--eval.sampling.max_new_tokens", 4, "--train.mixtures", '["seeds"]', "--eval.bootstrap_samples", 50)
    # 4 prompts of some 100 bytes and 4 new tokens each: the first fits
    reached = evaluate(*settings, *limits, "--budget.max_tokens", 200)
    assert reached.returncode == 3 and "budget.max_tokens is reached" in reached.stderr.splitlines()[-1]
    done = evaluate(*settings, *limits)
    assert done.returncode == 0, done.stderr
    said = done.stderr.splitlines()
    begins = said.index("evaluating base, seeds on tasks")
    assert said[begins - 1] == "seeds is evaluated, but these weights are not verified; run `selfinstruct verify`"
    assert any(line.startswith("seeds, tasks: 4 of 4 answers") for line in said[begins:])
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["base", "tuned", "gain"]
    run = tmp_path / "run"
    report, scores = (run / "report.html").read_bytes(), (run / "eval" / "scores.json").read_bytes()
    assert (run / "eval" / "base" / "predictions.jsonl").read_text().count("\n") == 4
    journals = {p.name: p.read_bytes() for p in (run / "journal").glob("eval-*.jsonl")}
    assert len(journals) == 2
    assert evaluate(*settings, *limits).stdout == done.stdout
    assert ((run / "report.html").read_bytes(), (run / "eval" / "scores.json").read_bytes()) == (report, scores)
    assert {p.name: p.read_bytes() for p in (run / "journal").glob("eval-*.jsonl")} == journals
    weights = [scored["weights"] for scored in json.loads(scores)]
    assert weights == [{"base": fingerprint(model), "seeds": fingerprint(run / "model" / "seeds")}]
    moved = run.rename(tmp_path / "moved")
    after = evaluate("--run_dir", moved, *settings[2:], *limits)
    assert (after.returncode, after.stdout) == (0, done.stdout), after.stderr
    assert {p.name: p.read_bytes() for p in (moved / "journal").glob("eval-*.jsonl")} == journals
    moved.rename(run)
    refused = evaluate(*settings, *limits[2:], "--eval.sampling.max_new_tokens", 5)
    assert refused.returncode == 2
    assert "sampling.max_new_tokens: 4 there, 5 now" in refused.stderr.splitlines()[-1]


def test_a_killed_evaluation_asks_nothing_twice(
    evaluate: Evaluate, config: Path, write_tasks: Callable[..., Path], tmp_path: Path
):
    """By SIGKILL in the middle of the base's answers, in a process of its own."""
    model = _random_model(tmp_path / "base", seed=0)
    instances = [{"id": f"a-{i}", "input": f"Look, {i}!", "output": ["y"]} for i in range(200)]
    root = write_tasks(task001_a=ni_task(Instances=instances))
    args = ["--run_dir", tmp_path / "run", "--model.path", model, "--eval.tasks", root, "--model.batch_size", 1,
            "--eval.sampling.max_new_tokens", 8, "--eval.max_instances_per_task", 200]  # fmt: skip
    journal = tmp_path / "run" / "journal" / f"eval-base-{fingerprint(model)[:8]}.jsonl"
    with subprocess.Popen([*COMMAND, str(config), *map(str, args)], stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (journal.is_file() and journal.read_bytes().count(b"\n") > 3):
            time.sleep(0.01)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    safe = journal.read_bytes()
    safe = safe[: safe.rfind(b"\n") + 1]
    assert 3 < safe.count(b"\n") < 201
    done = evaluate(*args)
    assert done.returncode == 0, done.stderr
    whole = journal.read_bytes()
    assert whole.startswith(safe) and whole.count(b"\n") == 201
    assert len({json.loads(line)["id"] for line in whole.splitlines()[1:]}) == 200


def _random_model(folder: Path, seed: int) -> Path:
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    characters = [chr(c) for c in range(32, 127)] + ["Ġ", "Ċ"]
    vocabulary = {token: index for index, token in enumerate(["<eos>", "<pad>", *dict.fromkeys(characters)])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<pad>")
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        eos_token_id=0, pad_token_id=1, bos_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder
