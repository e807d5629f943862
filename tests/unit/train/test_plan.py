"""Plans: what decides a training's identity, and which settings are refused before a model is loaded."""

import json
from dataclasses import replace

import pytest

from selfinstruct_train.train.arguments import micro_batches
from selfinstruct_train.train.plan import differing, is_complete, make_plan


def test_the_same_settings_and_data_have_the_same_identity(make_config):
    one, two = make_plan(make_config(), "seeds+generated"), make_plan(make_config(), "seeds+generated")
    assert one.identity == two.identity
    assert len(one.rows) == 60


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"learning_rate": 1e-3}, ["train.learning_rate"]),
        ({"template": "paper"}, ["data_sha256", "train.template"]),
        ({"method": "lora"}, ["train.lora", "train.method"]),
        ({"max_steps": 3}, ["train.max_steps"]),
        ({"save_steps": 3}, []),
        ({"per_device_batch_size": 2}, []),
    ],
)
def test_what_changes_the_weights_changes_the_identity(make_config, change, names):
    one, two = make_plan(make_config(), "seeds+generated"), make_plan(make_config(**change), "seeds+generated")
    assert differing(one.identity, two.identity) == names


def test_seed_and_data_change_the_identity(make_config, tmp_path, rows_file):
    config = make_config()
    one = make_plan(config, "seeds+generated")
    assert differing(one.identity, make_plan(replace(config, seed=1), "seeds+generated").identity) == ["seed"]
    shorter = tmp_path / "shorter.jsonl"
    shorter.write_text("".join(rows_file.read_text().splitlines(keepends=True)[1:]))
    other = make_plan(make_config(dataset=str(shorter)), "seeds+generated")
    assert differing(one.identity, other.identity) == ["data_sha256", "rows"]
    copied = tmp_path / "copied.jsonl"
    copied.write_text(rows_file.read_text())
    assert make_plan(make_config(dataset=str(copied)), "seeds+generated").identity == one.identity


def test_a_model_folder_of_the_same_identity_is_complete(make_config):
    plan = make_plan(make_config(), "seeds+generated")
    assert not is_complete(plan)
    plan.folder.mkdir(parents=True)
    (plan.folder / "training.json").write_text("{")
    assert not is_complete(plan)
    (plan.folder / "training.json").write_text(json.dumps({"identity": plan.identity}))
    assert is_complete(plan)


def test_the_batch_is_shared_out_over_processes(make_config):
    config = make_config(batch_size=16, per_device_batch_size=4)
    assert micro_batches(config, 1) == (4, 4)
    assert micro_batches(config, 2) == (4, 2)
    assert micro_batches(config, 8) == (2, 1)
    with pytest.raises(ValueError, match="16, which 3 processes cannot share"):
        micro_batches(config, 3)
    with pytest.raises(ValueError, match="no multiple of per_device_batch_size 6 times 1"):
        micro_batches(make_config(batch_size=16, per_device_batch_size=6), 1)


def test_rows_longer_than_the_models_context_are_dropped(make_config, tmp_path):
    file = tmp_path / "rows.jsonl"
    lines = [{"instruction": "a", "input": "", "output": "x"}, {"instruction": "a", "input": "", "output": "xy" * 200}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    plan = make_plan(make_config(dataset=str(file), max_length=4096), "seeds+generated")
    assert (len(plan.rows), plan.dropped["too_long"]) == (1, 1)


def test_an_adapter_and_a_folder_without_a_model_are_no_base(make_config, tmp_path):
    config = make_config()
    empty = replace(config, model=replace(config.model, path=str(tmp_path)))
    with pytest.raises(ValueError, match="holds no model"):
        make_plan(empty, "seeds+generated")
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(ValueError, match="is a LoRA adapter"):
        make_plan(empty, "seeds+generated")


def test_a_tokenizer_without_eos_is_refused(make_config, base_folder, tmp_path):
    for file in base_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
    settings.pop("eos_token")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    config = make_config()
    with pytest.raises(ValueError, match="has no EOS token"):
        make_plan(replace(config, model=replace(config.model, path=str(tmp_path))), "seeds+generated")


def test_the_best_checkpoint_is_not_chosen_by_a_rouge_l_that_sees_nothing(make_config, tmp_path):
    file = tmp_path / "chinese.jsonl"
    rows = [{"instruction": f"说 {i}。", "input": "", "output": "好" if i < 6 else "ok"} for i in range(9)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = make_config(dataset=str(file), validation_rows=8, best_by="rouge_l")
    with pytest.raises(ValueError, match=r"Latin letters and digits only, but [56] of 8 .*; set train.best_by: loss"):
        make_plan(config, "seeds+generated")
    for settings in ({"best_by": "loss", "validation_rows": 8}, {"best_by": "rouge_l"}):
        make_plan(make_config(dataset=str(file), **settings), "seeds+generated")


def test_a_setting_that_was_renamed_is_named_as_it_is_called_now():
    assert differing({"train": {"held_out": 5}}, {"train": {"held_out": 6}}) == ["train.validation_rows"]
