"""Verification for real on small models: what is fit passes, and each way of being unfit is refused with its remedy."""

import json
import os
import shutil
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from selfinstruct_train.config import ModelConfig
from selfinstruct_train.train.behaviour import (
    Answer,
    Question,
    answer,
    draw_questions,
    judge,
    measure,
    new_token_limit,
    next_token_logits,
    parts_at_a_tie,
    repeats_itself,
    wilson_interval,
)
from selfinstruct_train.train.findings import findings_table
from selfinstruct_train.train.plan import make_plan
from selfinstruct_train.train.rows import Row
from selfinstruct_train.train.verify import CHECKS, VERIFICATION_FILE, is_verified, verify

from .conftest import small_model
from .hand_training import hand_train

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, base_folder, rows_file):
    """A folder trained well for each method; copied by each test that breaks it."""
    from selfinstruct_train.config import Config, TrainConfig

    folders = {}
    for method in ("full", "lora"):
        train = TrainConfig(method=method, dataset=str(rows_file), template="fixed", max_length=128)
        model = ModelConfig(path=str(base_folder), device="cpu")
        plan = make_plan(
            Config(run_dir=str(tmp_path_factory.mktemp(method)), model=model, train=train), "seeds+generated"
        )
        hand_train(plan, 60 if method == "full" else 80)
        folders[method] = plan
    return folders


@pytest.fixture
def broken(trained, tmp_path):
    """Return a copy of a well-trained run's plan, whose folder a test may break."""

    def make(method: str = "full", **train):
        plan = trained[method]
        folder = tmp_path / "model" / plan.mixture
        shutil.copytree(plan.folder, folder)
        config = replace(plan.config, train=replace(plan.config.train, **train))
        return replace(plan, config=config, folder=folder)

    return make


def errors(plan) -> dict[str, tuple[str, str]]:
    result = verify(plan)
    found = {f.check: (f.what, f.remedy) for f in result.findings if f.level == "error"}
    assert result.passed == (not found) == is_verified(plan.folder)
    return found


def edit_weights(folder: Path, change) -> None:
    from safetensors.torch import load_file, save_file

    file = next(folder.glob("*.safetensors"))
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file, metadata={"format": "pt"})


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_model_that_learned_to_answer_and_stop_is_fit(broken, method):
    plan = broken(method)
    before = sorted(path.name for path in plan.folder.parent.iterdir())
    assert not is_verified(plan.folder)
    result = verify(plan)
    print(findings_table(result.findings))
    assert {finding.level for finding in result.findings} == {"ok"}
    assert result.passed
    assert is_verified(plan.folder)
    assert (result.figures["questions"], result.figures["stop_rate"]) == (50, 1.0)
    assert result.figures["different_answers"] == 5  # the five colours
    assert len(result.figures["samples"]) == 5
    for sample in result.figures["samples"]:
        assert sample["answer"].strip() == sample["input"].split()[0]
    if method == "lora":
        assert result.figures["merged_same_text"] == 1.0
        assert result.figures["merged_logits_difference"] < 1e-5
    assert sorted(path.name for path in plan.folder.parent.iterdir()) == before  # the merged model is gone


def test_what_passed_is_not_examined_again_until_a_file_changes(broken, monkeypatch):
    from selfinstruct_train.train import verify as module

    plan = broken()
    assert not verify(plan).was_known
    calls = []
    examine = module._examine
    monkeypatch.setattr(module, "_examine", lambda plan: calls.append(plan) or examine(plan))
    again = verify(plan)
    assert again.was_known
    assert again.findings == verify(plan).findings
    assert not calls
    assert not verify(plan, force=True).was_known
    edit_weights(plan.folder, lambda tensors: tensors["model.norm.weight"].mul_(1.01))
    assert not is_verified(plan.folder)
    assert not verify(plan).was_known
    assert len(calls) == 2


def test_a_file_of_verification_that_says_nothing_readable_is_none(broken):
    plan = broken()
    for text in ("", "{", "[]", "{}", '{"passed": true}', '{"format": 1, "passed": true, "fingerprint": "other"}'):
        (plan.folder / VERIFICATION_FILE).write_text(text)
        assert not is_verified(plan.folder)


def test_a_model_of_another_training_and_no_model_are_refused_before_anything(broken, tmp_path):
    plan = broken()
    with pytest.raises(ValueError, match=r"of another training \(other: seed\); give that run's config"):
        verify(replace(plan, identity=plan.identity | {"seed": 7}))
    with pytest.raises(ValueError, match="no trained model there; run recipes/train.py first"):
        verify(replace(plan, folder=tmp_path / "nowhere"))


@pytest.mark.parametrize("method", ["full", "lora"])
def test_weights_cut_short_are_refused(broken, method):
    plan = broken(method, allow=CHECKS)  # nothing can accept them
    file = next(plan.folder.glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-1000])
    what, remedy = errors(plan)["weights_whole"]
    assert "cut short" in what
    assert "train again" in remedy


def test_a_pickle_among_the_files_is_refused(broken):
    plan = broken()
    (plan.folder / "training_args.bin").write_bytes(b"\x80\x04.")
    what, remedy = errors(plan)["weights_whole"]
    assert "run code" in what
    assert "delete" in remedy


def test_a_shard_or_a_tensor_that_the_index_names_must_be_there(broken):
    plan = broken()
    single = plan.folder / "model.safetensors"
    shard = "model-00001-of-00001.safetensors"
    single.rename(plan.folder / shard)
    index = plan.folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"model.norm.weight": shard, "x": "model-2.safetensors"}}))
    assert "model-2.safetensors is missing" in str(verify(plan).findings)
    index.write_text(json.dumps({"weight_map": {"model.norm.weight": shard, "x": shard}}))
    assert errors(plan)["weights_whole"][0] == "the index names tensors that no file holds"


def test_weights_that_are_missing_would_be_random_so_they_are_refused(broken):
    plan = broken()
    edit_weights(plan.folder, lambda tensors: tensors.pop("model.layers.1.mlp.up_proj.weight"))
    what, _ = errors(plan)["loads"]
    assert "would be random" in what


@pytest.mark.parametrize("method", ["full", "lora"])
def test_weights_that_are_no_numbers_are_refused(broken, method):
    plan = broken(method)
    edit_weights(plan.folder, lambda tensors: next(iter(tensors.values())).view(-1)[3:4].fill_(float("nan")))
    what, remedy = errors(plan)["weights_finite"]
    assert what.startswith("1 of ")
    assert "lower train.learning_rate" in remedy


def test_an_untrained_copy_of_the_base_is_refused(broken, base_folder):
    plan = broken()
    shutil.copy(base_folder / "model.safetensors", plan.folder / "model.safetensors")
    what, remedy = errors(plan)["weights_changed"]
    assert what.startswith("0 of 20 tensors differ")
    assert "not trained" in remedy


def test_an_adapter_with_a_header_and_no_tensor_is_refused(broken):
    plan = broken("lora")
    header = json.dumps({"__metadata__": {"format": "pt", "note": "x" * 390}}).encode()
    (plan.folder / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header)
    what, remedy = errors(plan)["weights_changed"]
    assert "lacks 28 of the 28 matrices" in what  # 2 layers, 7 modules, A and B
    assert "saved without its weights" in remedy


def test_an_adapter_without_one_of_its_modules_is_refused(broken):
    plan = broken("lora")
    edit_weights(plan.folder, lambda tensors: [tensors.pop(name) for name in list(tensors) if "1.mlp.up_" in name])
    assert "lacks 2 of the 28 matrices" in errors(plan)["weights_changed"][0]


def test_an_adapter_whose_b_is_zero_is_refused_and_some_zero_are_told(broken):
    plan = broken("lora")
    edit_weights(plan.folder, lambda tensors: [t.zero_() for n, t in tensors.items() if "layers.0" in n and "_B" in n])
    levels = {f.check: (f.level, f.what) for f in verify(plan).findings}
    assert levels["weights_changed"] == ("warning", "7 of 14 adapted modules change something (B is not zero)")
    edit_weights(plan.folder, lambda tensors: [tensor.zero_() for name, tensor in tensors.items() if "_B" in name])
    what, remedy = errors(plan)["weights_changed"]
    assert what.startswith("0 of 14 adapted modules")
    assert "not trained" in remedy


def test_an_exchanged_tokenizer_is_refused(broken):
    plan = broken()
    file = plan.folder / "tokenizer.json"
    content = json.loads(file.read_text())
    vocabulary = content["model"]["vocab"]
    vocabulary["e"], vocabulary["a"] = vocabulary["a"], vocabulary["e"]
    file.write_text(json.dumps(content))
    what, remedy = errors(plan)["tokenizer"]
    assert "other ids" in what
    assert "train again" in remedy
    file.unlink()
    assert errors(plan)["tokenizer"][0] == "there is no tokenizer beside the weights"


def test_a_model_trained_without_loss_on_the_end_does_not_stop_and_is_refused(make_config):
    plan = make_plan(make_config(), "seeds+generated")
    hand_train(plan, 40, end_in_loss=False)
    what, remedy = errors(plan)["stops"]
    assert what.startswith("the model does not stop: 0% [0%, 7%] of 50 answers end within 16 tokens")
    assert "make doctor" in remedy
    record = json.loads((plan.folder / VERIFICATION_FILE).read_text())
    assert (record["passed"], record["figures"]["stop_rate"]) == (False, 0.0)


def test_an_accepted_error_passes_and_says_so_until_it_is_no_longer_accepted(make_config):
    config = make_config()
    plan = make_plan(config, "seeds+generated")
    hand_train(plan, 40, end_in_loss=False)
    accepting = replace(plan, config=replace(config, train=replace(config.train, allow=("stops",))))
    result = verify(accepting)
    assert result.passed
    assert next(f.what for f in result.findings if f.check == "stops").endswith("(accepted by train.allow)")
    assert verify(accepting).was_known
    assert not verify(plan).passed


def test_a_generation_config_that_does_not_know_the_end_is_refused(broken):
    plan = broken()
    file = plan.folder / "generation_config.json"
    settings = json.loads(file.read_text())
    file.write_text(json.dumps(settings | {"eos_token_id": 5}))
    what, remedy = errors(plan)["end_token"]
    assert "does not stop at '<|end|>' (id 0)" in what
    assert "set eos_token_id to [0, 5]" in remedy


def test_an_adapter_that_merges_into_another_model_is_refused(broken, monkeypatch):
    """An export that forgets the scaling: the merged model answers in another way."""
    from selfinstruct_train.train import compare_merged as module

    plan = broken("lora")
    merge = module.merge_adapter

    def merge_half(folder, out, dtype, trust):
        settings = json.loads((folder / "adapter_config.json").read_text())
        half = out.parent / "half"
        shutil.copytree(folder, half)
        (half / "adapter_config.json").write_text(json.dumps(settings | {"lora_alpha": 4}))
        return merge(half, out, dtype, trust)

    monkeypatch.setattr(module, "merge_adapter", merge_half)
    what, remedy = errors(plan)["merged"]
    assert "of 50 greedy answers are the adapter's" in what
    assert "publish the adapter" in remedy


def test_rounding_to_the_bases_own_precision_is_measured(make_config, base_folder, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    half = tmp_path / "half"
    shutil.copytree(base_folder, half)
    AutoModelForCausalLM.from_pretrained(base_folder, dtype=torch.bfloat16).save_pretrained(half)
    config = make_config(method="lora")
    plan = make_plan(replace(config, model=replace(config.model, path=str(half))), "seeds+generated")
    hand_train(plan, 40)
    result = verify(plan)
    assert (result.figures["merged_same_text"], result.figures["merged_rounded_to"]) == (1.0, "bfloat16")
    assert 0.5 < result.figures["merged_rounded_same_text"] <= 1.0
    assert "rounded to the base's bfloat16" in next(f.what for f in result.findings if f.check == "merged")


def test_with_qlora_the_difference_to_the_4_bit_base_is_told_and_is_no_error(make_config, tmp_path):
    pytest.importorskip("bitsandbytes")
    base = tmp_path / "base"  # bitsandbytes on a CPU wants multiples of 32
    sizes = {"hidden_size": 64, "intermediate_size": 128, "head_dim": 16, "initializer_range": 0.05}
    small_model.make_model(base, len(small_model.make_tokenizer(base)), **sizes)
    config = make_config(method="qlora")
    plan = make_plan(replace(config, model=replace(config.model, path=str(base))), "seeds+generated")
    hand_train(plan, 40)
    result = verify(plan)
    found = {finding.check: finding for finding in result.findings}
    assert found["quantized"].level == "ok", found["quantized"].what
    assert 0 <= result.figures["quantized_same_text"] <= 1
    assert result.figures["merged_same_text"] == 1.0


def test_answers_that_part_where_two_tokens_are_equally_likely_part_at_a_tie(tmp_path):
    from transformers import AutoModelForCausalLM

    small_model.make_constant_model(tmp_path, {"a": 3.0, "b": 2.99, "c": 1.0})
    network = AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    question = Question(Row("", "", ""), (5, 6))
    gap = float(next_token_logits(network, [question]).topk(2).values.diff().abs())
    one, other = Answer((7, 7, 8), True), Answer((7, 9), True)
    assert parts_at_a_tie(network, question, one, other, tolerance=gap)
    assert not parts_at_a_tie(network, question, one, other, tolerance=gap / 3)


def test_batched_greedy_text_is_that_of_one_by_one(trained, base_folder):
    """On the base, whose answers run to the limit, and on the trained model, whose answers end."""
    import torch
    from transformers import AutoModelForCausalLM

    plan = trained["full"]
    questions = draw_questions(plan, plan.tokenizer, 16, 256)
    assert len({len(question.prompt_ids) for question in questions}) > 3
    for folder in (base_folder, plan.folder):
        network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        together = answer(network, questions, 16, [0], batch_size=50)
        assert together == answer(network, questions, 16, [0], batch_size=1)
        assert together == answer(network, questions, 16, [0], batch_size=7)
    assert len({a.ids for a in together}) == 5


def test_questions_come_from_held_out_rows_where_there_are_some(trained):
    plan = trained["full"]
    drawn = draw_questions(plan, plan.tokenizer, 40, None)
    assert len(drawn) == 50
    assert drawn == draw_questions(plan, plan.tokenizer, 40, None)
    other = replace(plan, held_out=plan.source_rows[:3])
    assert {question.row for question in draw_questions(other, plan.tokenizer, 40, None)} == set(plan.source_rows[:3])
    assert draw_questions(plan, plan.tokenizer, 40, 45) == []  # the shortest prompt has more than 5 tokens


def test_the_limit_is_twice_what_nearly_all_completions_need(trained):
    plan = trained["full"]
    assert max(sum(label != -100 for label in row.labels) for row in plan.rows) == 5  # " white" and the end
    assert new_token_limit(plan, None) == 16
    long = replace(plan.rows[0], labels=(1,) * 100)
    many = replace(plan, encoding=replace(plan.encoding, rows=(long,) * 60))
    assert new_token_limit(many, None) == 200
    assert new_token_limit(many, 256) == 128
    one = replace(plan, encoding=replace(plan.encoding, rows=(long, *plan.rows * 3)))
    assert new_token_limit(one, None) == 16  # one row in 181 is beyond 99 of 100


def test_figures_of_answers_written_out(trained):
    plan = trained["full"]
    questions = draw_questions(plan, plan.tokenizer, 16, None)[:4]
    answers = [Answer((), True), Answer((70, 71), True), Answer((70,) * 9, False), Answer((70, 71), True)]
    figures = measure(questions, answers, plan.tokenizer, 9)
    assert (figures["stop_rate"], figures["repetition_rate"], figures["empty_rate"]) == (0.75, 0.25, 0.25)
    assert (figures["mean_tokens"], figures["median_tokens"], figures["different_answers"]) == (3.25, 2, 3)
    assert {finding.check: finding.level for finding in judge(figures)} == {
        "stops": "warning",
        "repetition": "warning",
        "answers": "warning",
    }
    silent = measure(questions, [Answer((), True)] * 4, plan.tokenizer, 9)
    assert "says nothing" in next(f.what for f in judge(silent) if f.level == "error")
    same = measure(questions, [Answer((70,), True)] * 4, plan.tokenizer, 9)
    assert [f.level for f in judge(same)] == ["ok", "ok", "warning"]


def test_repetition_counts_four_tokens_in_a_row():
    assert not repeats_itself([1, 2, 3, 4] * 4)
    assert repeats_itself([1, 2, 3, 4] * 5)
    assert not repeats_itself([7] * 7)  # four times 7 7 7 7
    assert repeats_itself([7] * 8)
    assert not repeats_itself([1, 2])


def test_wilson_interval_as_published():
    # Newcombe 1998, table I, method 3: 81 of 263 and 0 of 20
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(20, 20)[1] == 1.0


@pytest.mark.slow
def test_adapter_and_merged_tiny_model_give_the_same_text_on_50_prompts(make_config, tmp_path, capsys):
    """The built-in model, and sentences to write rather than one word."""
    animals, places = ("cat", "dog", "cow", "hen", "fox"), ("house", "river", "hill", "wood", "field")
    rows = [
        {"instruction": f"Say where the {a} is, {n}.", "input": p, "output": f"The {a} sleeps in the {p} and is {n}."}
        for a in animals
        for p in places
        for n in ("old", "big")
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = make_config(method="lora", dataset=str(file))
    plan = make_plan(replace(config, model=ModelConfig(device="cpu")), "seeds+generated")
    hand_train(plan, 5, learning_rate=2e-3)
    result = verify(plan)
    with capsys.disabled():
        print("\n" + findings_table(result.findings))
    assert result.passed
    assert (result.figures["questions"], result.figures["merged_same_text"]) == (50, 1.0)
    assert result.figures["merged_logits_difference"] < 1e-4
    assert result.figures["mean_tokens"] > 8


def recipe(config_file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "recipes" / "verify.py"), "--config", str(config_file), *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


def test_the_recipe_tells_what_passed_and_ends_with_2_where_something_failed(broken, rows_file, base_folder, tmp_path):
    plan = broken()
    settings = {
        "run_dir": str(tmp_path),
        "model": {"path": str(base_folder), "device": "cpu"},
        "train": {"dataset": str(rows_file), "template": "fixed", "max_length": 128},
    }
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(settings))
    done = recipe(file)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("seeds+generated: passed\n")
    assert done.stdout.rstrip().endswith(VERIFICATION_FILE)
    shutil.copy(base_folder / "model.safetensors", plan.folder / "model.safetensors")
    done = recipe(file, "--force")
    assert done.returncode == 2
    assert "seeds+generated: FAILED" in done.stdout
    assert done.stderr.strip().splitlines()[-1].startswith("error: not fit for use: ")
    assert "weights_changed" in done.stderr
    assert "Traceback" not in done.stderr
