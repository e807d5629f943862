"""Validation rows: never trained on, measured as by hand, the best checkpoint kept, the training undisturbed."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from selfinstruct_train.core.records import Row
from selfinstruct_train.train.callbacks import validation_callbacks
from selfinstruct_train.train.data.encode import encode_rows
from selfinstruct_train.train.data.split import split_validation
from selfinstruct_train.train.plan import make_plan
from selfinstruct_train.train.trainer import train
from selfinstruct_train.train.validation import (
    Question,
    _rouge_l,
    by_limit,
    questions_of,
    validation_arguments,
    validation_dataset,
)
from tests.support import small_model
from tests.support.paths import ROOT
from tests.support.tokenizers_of_types import CHATML, with_turns

COLOURS, ANIMALS = ("red", "blue", "green", "black", "white"), ("cat", "dog", "cow", "hen", "fox", "owl")


@pytest.fixture(scope="module")
def many_instructions(tmp_path_factory) -> Path:
    """Sixty rows of thirty instructions; the answer is the input's first word."""
    rows = [
        {"instruction": f"Name the colour of the {a} in {c}.", "input": f"{c} {a}{end}", "output": c}
        for c in COLOURS
        for a in ANIMALS
        for end in ("", "s")
    ]
    file = tmp_path_factory.mktemp("validation_rows") / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture
def validation_config(make_config, many_instructions):
    def make(**settings):
        return make_config(**({"dataset": str(many_instructions), "validation_rows": 12, "save_steps": 10} | settings))

    return make


def history_of(folder: Path) -> list[dict]:
    return json.loads((folder / "log_history.json").read_text())


def rows_of(*counts: int) -> list[Row]:
    return [Row("", f"Do {name}.", str(i), "x") for name, count in enumerate(counts) for i in range(count)]


def test_no_instruction_is_on_both_sides_and_the_slice_is_as_near_as_can_be():
    rows = [*rows_of(3, 3, 3, 3), Row("", " do  0.\n", "", "y")]
    kept, held = split_validation(rows, 6, seed=1)
    names = [{" ".join(row.instruction.split()).casefold() for row in part} for part in (kept, held)]
    assert not names[0] & names[1]
    assert len(held) == 6  # "Do 0." has four rows: 4 + 3 would be too much, 3 + 3 is not
    assert sorted(map(repr, kept + held)) == sorted(map(repr, rows))
    assert [len(split_validation(rows_of(5, 4, 5), 3, seed)[1]) for seed in range(5)] == [4] * 5
    assert split_validation(rows, 0, seed=1) == (rows, [])


def test_which_rows_are_for_validation_depends_on_seed_and_text_not_on_the_order_of_rows():
    rows = rows_of(*[1] * 40)
    held = set(split_validation(rows, 10, seed=1)[1])
    assert set(split_validation(rows[::-1], 10, seed=1)[1]) == held
    assert set(split_validation(rows, 10, seed=2)[1]) != held
    more = {*split_validation([*rows, Row("", "Another.", "", "x")], 10, seed=1)[1]}
    assert len(more & held) >= 9
    kept, _ = split_validation(rows, 10, seed=1)
    assert kept == [row for row in rows if row in kept]


@pytest.mark.parametrize("number", [6, 7, 100])
def test_a_slice_that_leaves_nothing_to_train_on_is_refused(number):
    with pytest.raises(ValueError, match=rf"train.validation_rows is {number}, but there are 6 rows of 2 instructions"):
        split_validation(rows_of(3, 3), number, seed=1)


def test_the_same_prompt_is_asked_once_with_all_its_outputs(validation_config):
    plan = make_plan(validation_config(), "seeds+generated")
    rows = [Row("", "Do.", "", " a "), Row("", "Do.", "", "b"), Row("", "Do.", "x", "c")]
    questions = questions_of(rows, plan)
    assert sorted(question.references for question in questions) == [("a", "b"), ("c",)]
    prompts = sorted(plan.tokenizer.decode(question.prompt_ids) for question in questions)
    assert prompts == ["Instruction: Do.\nInput: x\nResponse:", "Instruction: Do.\nResponse:"]
    many = questions_of([Row("", f"Do {i}.", "", "a") for i in range(80)], plan)
    assert len({question.prompt_ids for question in many}) == 50


def test_without_validation_rows_nothing_is_measured(make_config):
    plan = make_plan(make_config(), "seeds+generated")
    assert validation_arguments(plan.config.train) == {}
    assert validation_dataset(plan) is None
    assert validation_callbacks(plan) == []


def test_validation_rows_that_do_not_fit_are_named(validation_config):
    plan = make_plan(validation_config(), "seeds+generated")
    short = replace(plan, config=replace(plan.config, train=replace(plan.config.train, max_length=5)))
    with pytest.raises(ValueError, match=r"train.validation_rows: of the validation rows, none of 12 .* 5 tokens"):
        validation_dataset(short)


def hand_loss(config, folder: Path, rows) -> float:
    """The mean over completion tokens, row by row, of a model read from disk."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    losses = []
    for row in encode_rows(rows, tokenizer, config.train, config.seed).rows:
        with torch.no_grad():
            chances = model(torch.tensor([row.input_ids])).logits[0].log_softmax(-1)
        losses += [-float(chances[i - 1, t]) for i, t in enumerate(row.input_ids) if row.labels[i] != -100]
    return math.fsum(losses) / len(losses)


def hand_rouge_l(config, folder: Path, rows) -> tuple[float, set[str]]:
    """Ask a model from disk as the evaluation does; tell the ROUGE-L and why answers ended."""
    from rouge_score.rouge_scorer import RougeScorer

    from selfinstruct_train.core.prompt_format import question
    from selfinstruct_train.core.records import Request, Sampling
    from selfinstruct_train.lm import load_lm

    asked = [question(row.instruction, row.input, config.train.template) for row in rows]
    requests = [Request(str(i), text, chat=is_chat) for i, (text, is_chat) in enumerate(asked)]
    answers = load_lm(config.model, str(folder)).complete(requests, Sampling(max_new_tokens=16))
    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    scores = [scorer.score(r.output, a.text)["rougeL"].fmeasure for r, a in zip(rows, answers, strict=True)]
    return 100 * sum(scores) / len(scores), {answer.finish_reason for answer in answers}


def test_each_checkpoint_is_measured_and_the_best_becomes_the_model(validation_config, many_instructions, tmp_path):
    """The answers that are learned are never those of the validation rows, so the loss on these rises."""
    config = validation_config(max_steps=10, learning_rate=1e-2, lr_scheduler="constant", save_steps=3)
    validation_rows = {row.instruction for row in make_plan(config, "seeds+generated").validation_rows}
    rows = [json.loads(line) for line in many_instructions.read_text().splitlines()]
    file = tmp_path / "rows.jsonl"
    for row in rows:
        row["output"] = "Zulu" if row["instruction"] in validation_rows else "red"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = replace(config, train=replace(config.train, dataset=str(file)))
    plan = make_plan(config, "seeds+generated")
    assert {row.instruction for row in plan.validation_rows} == validation_rows
    assert not validation_rows & {row.instruction for row in plan.source_rows}
    assert (len(plan.validation_rows), len(plan.rows)) == (12, 48)
    result = train(plan)
    measured = {e["step"]: e for e in history_of(plan.folder) if "eval_loss" in e}
    assert list(measured) == [3, 6, 9, 10]  # the last step too
    assert [entry["eval_rouge_l"] for entry in measured.values()][-1] == 0
    best = min(measured, key=lambda step: measured[step]["eval_loss"])
    assert best == result.best_step < 10
    assert hand_loss(config, plan.folder, plan.validation_rows) == pytest.approx(measured[best]["eval_loss"], abs=1e-4)


def test_rouge_l_chooses_the_best_checkpoint_and_is_what_evaluation_measures(validation_config, tmp_path):
    """On chats, whose end of turn is not the tokenizer's EOS: answers stop there, and in the evaluation too."""
    base = tmp_path / "base"
    tokenizer = with_turns(small_model.make_tokenizer(base))
    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(base)
    small_model.make_model(base, len(tokenizer), initializer_range=0.05, head_dim=12)
    config = validation_config(template="chat", max_steps=48, learning_rate=1e-2, best_by="rouge_l", save_steps=24)
    config = replace(config, model=replace(config.model, path=str(base)))
    plan = make_plan(config, "seeds+generated")
    train(plan)
    measured = {e["step"]: e["eval_rouge_l"] for e in history_of(plan.folder) if "eval_rouge_l" in e}
    assert list(measured) == [24, 48]
    assert max(measured.values()) > 30
    rouge_l, reasons = hand_rouge_l(config, plan.folder, plan.validation_rows)
    assert rouge_l == pytest.approx(max(measured.values()), abs=1e-6)
    assert reasons == {"stop"}


def test_a_prompt_near_the_context_cuts_no_other_answer(validation_config, tmp_path):
    """It leaves 2 of 256 tokens; the others' references are the 24 tokens the model answers, and 8 more may come."""
    import torch
    from accelerate import Accelerator

    network = small_model.make_model(tmp_path, len(small_model.make_tokenizer(tmp_path)), head_dim=12).eval()
    config = validation_config()
    plan = make_plan(replace(config, model=replace(config.model, path=str(tmp_path))), "seeds+generated")
    short = []
    for question in questions_of(plan.validation_rows, plan)[:5]:
        ids = torch.tensor([question.prompt_ids])
        answer = network.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False)
        reference = plan.tokenizer.decode(answer[0, ids.shape[1] :], skip_special_tokens=True)
        short.append(Question(question.prompt_ids, (reference,)))
    near = Question((short[0].prompt_ids * 20)[:254], ("red",))
    trainer = SimpleNamespace(
        model=network,
        accelerator=Accelerator(cpu=True),
        args=SimpleNamespace(device=torch.device("cpu"), per_device_eval_batch_size=2),
    )
    limits = by_limit(plan, [near, *short])
    assert list(limits.values()) == [[0], [1, 2, 3, 4, 5]]
    assert min(limits) == 2
    assert max(limits) > 24
    without, alone = _rouge_l(trainer, plan, short), _rouge_l(trainer, plan, [near])
    assert without > 60
    assert _rouge_l(trainer, plan, [near, *short]) == pytest.approx((5 * without + alone) / 6, abs=1e-6)


def test_measuring_does_not_disturb_the_training(validation_config):
    """Dropout and noise on the embeddings draw from the global generator, which measuring must leave alone."""
    histories = []
    for save_steps in (1, 100):
        config = validation_config(max_steps=4, method="lora", neftune_alpha=5.0, save_steps=save_steps)
        lora = replace(config.train.lora, dropout=0.2)
        config = replace(config, run_dir=f"{config.run_dir}{save_steps}", train=replace(config.train, lora=lora))
        plan = make_plan(config, "seeds+generated")
        train(plan)
        histories.append([e["loss"] for e in history_of(plan.folder) if "loss" in e])
    assert histories[0] == histories[1]
    assert len(histories[0]) == 4


def test_batches_do_not_change_what_is_measured(validation_config):
    figures = []
    for size in (1, 8):
        config = validation_config(max_steps=2, per_device_batch_size=size, batch_size=8)
        plan = make_plan(replace(config, run_dir=f"{config.run_dir}{size}"), "seeds+generated")
        train(plan)
        figures.append([e["eval_loss"] for e in history_of(plan.folder) if "eval_loss" in e])
    assert figures[0] == pytest.approx(figures[1], abs=1e-4)


def test_packs_are_trained_and_single_rows_measured(validation_config):
    config = validation_config(max_steps=4, packing=True, batch_size=2, per_device_batch_size=2)
    plan = make_plan(config, "seeds+generated")
    train(plan)
    measured = {e["step"]: e["eval_loss"] for e in history_of(plan.folder) if "eval_loss" in e}
    assert hand_loss(config, plan.folder, plan.validation_rows) == pytest.approx(min(measured.values()), abs=1e-4)


def test_stopped_in_the_middle_and_resumed_it_gives_the_same_model_and_figures(validation_config, monkeypatch):
    from transformers import TrainerCallback

    from selfinstruct_train.train import trainer

    class Stop(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == 7:
                raise KeyboardInterrupt

    def figures(folder: Path) -> list:
        return [(e["step"], e["eval_loss"], e["eval_rouge_l"]) for e in history_of(folder) if "eval_loss" in e]

    config = validation_config(max_steps=10, save_steps=3)
    whole = make_plan(config, "seeds+generated")
    train(whole)
    plan = make_plan(replace(config, run_dir=f"{config.run_dir}-stopped"), "seeds+generated")
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "validation_callbacks", lambda plan: [*validation_callbacks(plan), Stop()])
        with pytest.raises(KeyboardInterrupt):
            train(plan)
    assert not plan.folder.exists()
    train(plan)
    assert figures(plan.folder) == figures(whole.folder)
    assert [step for step, *_ in figures(plan.folder)] == [3, 6, 9, 10]
    weights = [(folder / "model.safetensors").read_bytes() for folder in (plan.folder, whole.folder)]
    assert weights[0] == weights[1]


WORKER = """
import json, sys
from types import SimpleNamespace
import torch
from accelerate import Accelerator
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from transformers import AutoModelForCausalLM
from selfinstruct_train.config import Config, ModelConfig, TrainConfig
from selfinstruct_train.train.plan import make_plan
from selfinstruct_train.train.validation import measure_validation

is_sharded, run_dir, model, settings = json.loads(sys.argv[1])
config = Config(run_dir=run_dir, model=ModelConfig(path=model, device="cpu"), train=TrainConfig(**settings))
accelerator = Accelerator(cpu=True)
network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
if is_sharded:
    mesh = init_device_mesh("cpu", (accelerator.num_processes,))
    for layer in network.model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(network, mesh=mesh)
plan = make_plan(config, "seeds+generated")
trainer = SimpleNamespace(
    model=network,
    accelerator=accelerator,
    args=SimpleNamespace(device=torch.device("cpu"), per_device_eval_batch_size=2),
)
metrics = [measure_validation(trainer, plan).metrics for _ in range(2)]
assert metrics[0] == metrics[1]
with open(f"{run_dir}/rank{accelerator.process_index}.json", "w") as file:
    json.dump(metrics[0], file)
"""


def test_two_processes_measure_what_one_does_sharded_or_not(many_instructions, tmp_path):
    """Seven validation rows: one process measures a row twice, and it counts once. Half of the references are what the
    random model answers, so ROUGE-L has something to find; FSDP2's shards lie on gloo."""
    from selfinstruct_train.config import ModelConfig
    from selfinstruct_train.core.prompt_format import evaluation_prompt
    from selfinstruct_train.core.records import Request, Sampling
    from selfinstruct_train.lm import load_lm

    rows = [json.loads(line) for line in many_instructions.read_text().splitlines()][::2]
    base = tmp_path / "base"
    small_model.make_model(base, len(small_model.make_tokenizer(base)), head_dim=12)
    lm = load_lm(ModelConfig(path=str(base), device="cpu"))
    requests = [Request(r["input"], evaluation_prompt(r["instruction"], r["input"], "fixed")) for r in rows]
    for row, answer in list(zip(rows, lm.complete(requests, Sampling(max_new_tokens=6)), strict=True))[::2]:
        row["output"] = answer.text.strip() or "red"
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "worker.py").write_text(WORKER)
    settings = {"dataset": str(file), "validation_rows": 7, "template": "fixed", "max_length": 128}
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    environment["PYTHONPATH"] = str(ROOT)
    found = []
    for processes, is_sharded in ((1, False), (2, False), (2, True)):
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", str(processes), "--standalone"]
        done = subprocess.run(
            [
                *command,
                str(tmp_path / "worker.py"),
                json.dumps([is_sharded, str(tmp_path), str(base), settings]),
            ],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told = [(tmp_path / f"rank{rank}.json").read_text() for rank in range(processes)]
        for rank in range(processes):
            (tmp_path / f"rank{rank}.json").unlink()
        assert len(set(told)) == 1  # the same figures on every process
        found.append(json.loads(told[0]))
    assert found[0]["eval_rouge_l"] > 5
    assert found[1:] == [pytest.approx(found[0], abs=1e-4)] * 2
