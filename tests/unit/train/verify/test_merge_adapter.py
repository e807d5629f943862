"""Adapter into base: an ordinary model comes out, by the arithmetic of LoRA, in the precision that is asked for."""

import json
import shutil

import pytest

from selfinstruct_train.train.plan import make_plan
from selfinstruct_train.train.verify.merge_adapter import base_of, load_with_adapter, merge_adapter
from tests.support.hand_training import hand_train


@pytest.fixture(scope="module")
def adapter(tmp_path_factory, base_folder, rows_file):
    from selfinstruct_train.config import Config, LoraSettings, ModelConfig, TrainConfig

    train = TrainConfig(method="lora", dataset=str(rows_file), max_length=128, lora=LoraSettings(r=4, alpha=8))
    run = Config(run_dir=str(tmp_path_factory.mktemp("run")), model=ModelConfig(path=str(base_folder)), train=train)
    return hand_train(make_plan(run, "seeds+generated"), 3)


def test_a_merged_weight_is_base_plus_scaled_product(adapter, base_folder, tmp_path):
    from safetensors.torch import load_file

    out = merge_adapter(adapter, tmp_path / "merged")
    merged, base = load_file(out / "model.safetensors"), load_file(base_folder / "model.safetensors")
    tensors = load_file(adapter / "adapter_model.safetensors")
    place = "model.layers.1.self_attn.q_proj"
    a, b = (tensors[f"base_model.model.{place}.lora_{matrix}.weight"] for matrix in "AB")
    expected = base[f"{place}.weight"] + 8 / 4 * (b @ a)  # alpha / r
    assert abs(merged[f"{place}.weight"] - expected).max() < 1e-6
    assert abs(merged[f"{place}.weight"] - base[f"{place}.weight"]).max() > 1e-4
    assert (merged["model.norm.weight"] == base["model.norm.weight"]).all()


def test_what_is_written_is_an_ordinary_model(adapter, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out = merge_adapter(adapter, tmp_path / "deep" / "merged")
    names = {path.name for path in out.iterdir()}
    assert {"model.safetensors", "config.json", "generation_config.json", "tokenizer.json"} <= names
    assert not [name for name in names if name.endswith(".bin") or name.startswith("adapter")]
    assert [path.name for path in out.parent.iterdir()] == ["merged"]
    network, info = AutoModelForCausalLM.from_pretrained(out, output_loading_info=True)
    assert not info["missing_keys"]
    assert network.generation_config.eos_token_id == 0
    assert AutoTokenizer.from_pretrained(out).eos_token == "<|end|>"


def test_the_precision_is_the_bases_own_or_the_one_asked_for(adapter, base_folder, tmp_path):
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    half = tmp_path / "half_base"
    shutil.copytree(base_folder, half)
    AutoModelForCausalLM.from_pretrained(base_folder, dtype=torch.bfloat16).save_pretrained(half)
    own = tmp_path / "adapter"
    shutil.copytree(adapter, own)
    settings = json.loads((own / "adapter_config.json").read_text())
    (own / "adapter_config.json").write_text(json.dumps(settings | {"base_model_name_or_path": str(half)}))
    for dtype, expected in (("auto", torch.bfloat16), ("float32", torch.float32), ("float16", torch.float16)):
        out = merge_adapter(own, tmp_path / dtype, dtype)
        assert {tensor.dtype for tensor in load_file(out / "model.safetensors").values()} == {expected}
        assert json.loads((out / "config.json").read_text())["dtype"] == str(expected).removeprefix("torch.")


def test_the_adapters_generation_config_is_the_merged_models(adapter, tmp_path):
    own = tmp_path / "adapter"
    shutil.copytree(adapter, own)
    (own / "generation_config.json").write_text(json.dumps({"eos_token_id": [3, 0], "max_new_tokens": 77}))
    out = merge_adapter(own, tmp_path / "merged")
    settings = json.loads((out / "generation_config.json").read_text())
    assert (settings["eos_token_id"], settings["max_new_tokens"]) == ([3, 0], 77)


def test_what_cannot_be_merged_is_refused_in_one_line(adapter, base_folder, tmp_path):
    import torch

    with pytest.raises(ValueError, match="exists already"):
        merge_adapter(adapter, tmp_path)
    with pytest.raises(ValueError, match="no adapter with a readable adapter_config.json"):
        merge_adapter(base_folder, tmp_path / "merged")
    own = tmp_path / "adapter"
    shutil.copytree(adapter, own)
    settings = json.loads((own / "adapter_config.json").read_text())
    for path, message in ((None, "does not name its base"), ("/no/such/base", "cannot be loaded")):
        (own / "adapter_config.json").write_text(json.dumps(settings | {"base_model_name_or_path": path}))
        with pytest.raises(ValueError, match=message):
            merge_adapter(own, tmp_path / "merged")
    assert base_of(adapter) == (str(base_folder), None)
    assert not (tmp_path / "merged").exists()
    assert load_with_adapter(adapter, torch.float32).training is False


@pytest.mark.parametrize("option", ["use_dora", "use_rslora"])
def test_variants_of_lora_merge_to_the_same_logits(make_config, tmp_path, option):
    import torch
    from transformers import AutoModelForCausalLM

    from selfinstruct_train.config import LoraSettings

    plan = make_plan(make_config(method="lora", lora=LoraSettings(**{option: True})), "seeds+generated")
    hand_train(plan, 3)
    ids = torch.tensor([plan.rows[0].input_ids])
    with torch.no_grad():
        adapted = load_with_adapter(plan.folder, torch.float32)(input_ids=ids).logits
        merged = AutoModelForCausalLM.from_pretrained(merge_adapter(plan.folder, tmp_path / "merged"))(input_ids=ids)
        base = AutoModelForCausalLM.from_pretrained(plan.config.model.path)(input_ids=ids)
    assert abs(merged.logits - adapted).max() < 1e-5
    assert abs(base.logits - adapted).max() > 1e-2
