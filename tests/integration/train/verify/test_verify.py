"""Verification for real on small models: what is fit passes, and each way of being unfit is refused with its remedy."""

import json
import shutil
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from selfinstruct_train.config import ModelConfig
from selfinstruct_train.train.checks.findings import AFTER_TRAINING, findings_table
from selfinstruct_train.train.plan import make_plan
from selfinstruct_train.train.verify.new_process import verify_in_a_new_process
from selfinstruct_train.train.verify.record import VERIFICATION_FILE, is_refused, is_verified, state_of
from selfinstruct_train.train.verify.verification import (
    verify,
    verify_merge,
)
from tests.support.cli import run_cli
from tests.support.hand_training import hand_train


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
    from selfinstruct_train.train.verify import verification as module

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
    (plan.folder / "loss.png").write_bytes(b"another picture")
    assert is_verified(plan.folder)
    (plan.folder / "chat_template.jinja").write_text("{{ messages }}")  # a model is asked by it
    assert not is_verified(plan.folder)


def test_a_file_of_verification_that_says_nothing_readable_is_none(broken):
    plan = broken()
    for text in ("", "{", "[]", "{}", '{"passed": true}', '{"format": 3, "passed": true, "sha256": {"a": "b"}}'):
        (plan.folder / VERIFICATION_FILE).write_text(text)
        assert not is_verified(plan.folder)


def test_a_model_of_another_training_and_no_model_are_refused_before_anything(broken, tmp_path):
    plan = broken()
    with pytest.raises(ValueError, match=r"of another training \(different: seed\); give that run's config"):
        verify(replace(plan, identity=plan.identity | {"seed": 7}))
    with pytest.raises(ValueError, match="no trained model there; run `selfinstruct train` first"):
        verify(replace(plan, folder=tmp_path / "nowhere"))


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("where", ["loading", "moving"])
def test_memory_that_runs_out_is_no_verdict_and_one_line_with_the_remedy(broken, monkeypatch, method, where):
    import torch
    import transformers

    from selfinstruct_train.train.verify.device import Device

    def run_out(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 14.96 GiB. GPU 0 has a capacity ...")

    plan = broken(method)
    if where == "loading":
        monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", run_out)
    else:
        monkeypatch.setattr(Device, "put", run_out)
    with pytest.raises(ValueError, match=r"could not be examined: memory ran out \(.*CUDA out of memory\)") as told:
        verify(plan)
    assert "the model is kept" in str(told.value)
    assert "`selfinstruct verify CONFIG --model.device cpu`" in str(told.value)
    assert not is_verified(plan.folder)
    assert not is_refused(plan.folder)
    assert next(plan.folder.glob("*.safetensors")).is_file()


def test_training_tells_a_model_that_failed_from_one_that_could_not_be_examined(tmp_path, monkeypatch):
    def end_with(code: int) -> None:
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], code))

    end_with(0)
    verify_in_a_new_process([tmp_path], [])
    for code, told in ((2, "the lines above"), (1, "the lines above"), (-9, "signal 9")):
        end_with(code)
        with pytest.raises(ValueError, match=f"trained and kept, but it could not be examined: {told}"):
            verify_in_a_new_process([tmp_path], [])
    assert state_of(tmp_path) == "not verified"
    (tmp_path / VERIFICATION_FILE).write_text(json.dumps({"format": 3, "passed": True, "sha256": {}}))
    assert state_of(tmp_path) == "passed"
    (tmp_path / VERIFICATION_FILE).write_text(json.dumps({"format": 3, "passed": False, "sha256": {}}))
    assert state_of(tmp_path) == "failed"
    with pytest.raises(ValueError, match="not proven fit for use"):
        verify_in_a_new_process([tmp_path], [])


@pytest.mark.parametrize("method", ["full", "lora"])
def test_weights_cut_short_are_refused(broken, method):
    plan = broken(method, allow=AFTER_TRAINING)  # nothing can accept them
    file = next(plan.folder.glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-1000])
    what, remedy = errors(plan)["weights_whole"]
    assert "incomplete" in what
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
    assert "selfinstruct doctor" in remedy
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


def test_a_merged_model_is_published_only_if_it_is_the_verified_one(broken, base_folder, tmp_path):
    from selfinstruct_train.train.verify.merge_adapter import merge_adapter

    plan = broken("lora")
    merged = merge_adapter(plan.folder, tmp_path / "merged")
    verify_merge(merged, plan.folder, plan.config)  # publish.force: never verified, so whole and finite is all
    assert verify(plan).figures["merged_next_tokens"] == 1.0
    verify_merge(merged, plan.folder, plan.config)

    def refused_after(change) -> str:
        shutil.copytree(merged, tmp_path / "changed", dirs_exist_ok=True)
        edit_weights(tmp_path / "changed", change)
        with pytest.raises(ValueError) as told:
            verify_merge(tmp_path / "changed", plan.folder, plan.config)
        return str(told.value)

    from safetensors.torch import load_file

    base = load_file(base_folder / "model.safetensors")
    told = refused_after(lambda tensors: [tensor.copy_(base[name]) for name, tensor in tensors.items()])
    assert told.startswith("the merged model is not the verified one: ")
    assert "100.0% were at the verification; publish the adapter" in told
    told = refused_after(lambda tensors: tensors["model.norm.weight"][3:4].fill_(float("inf")))
    assert "numbers that are not finite" in told
    told = refused_after(lambda tensors: tensors.pop("model.layers.1.mlp.up_proj.weight"))
    assert "would be random" in told
    record = json.loads((plan.folder / VERIFICATION_FILE).read_text())
    del record["figures"]["merged_next_tokens"]
    (plan.folder / VERIFICATION_FILE).write_text(json.dumps(record))
    with pytest.raises(ValueError, match=r"did not examine the merged model; run `selfinstruct verify --force`"):
        verify_merge(merged, plan.folder, plan.config)


def test_the_command_tells_what_passed_and_ends_with_2_where_something_failed(broken, rows_file, base_folder, tmp_path):
    plan = broken()
    settings = {
        "run_dir": str(tmp_path),
        "model": {"path": str(base_folder), "device": "cpu"},
        "train": {"dataset": str(rows_file), "template": "fixed", "max_length": 128},
    }
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(settings))
    done = run_cli("verify", file)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("seeds+generated: passed\n")
    assert done.stdout.rstrip().endswith(VERIFICATION_FILE)
    shutil.copy(base_folder / "model.safetensors", plan.folder / "model.safetensors")
    done = run_cli("verify", file, "--force")
    assert done.returncode == 2
    assert "seeds+generated: FAILED" in done.stdout
    assert done.stderr.strip().splitlines()[-1].startswith("error: not fit for use: ")
    assert done.stderr.strip().endswith("(or accept it: --train.allow '[weights_changed]')")
    assert "weights_changed" in done.stderr
    assert "Traceback" not in done.stderr
    done = run_cli("verify", file, "--train.allow", "[weight_changed]")
    assert done.returncode == 2
    assert "train.allow names 'weight_changed', which is no check; did you mean 'weights_changed'?" in done.stderr
