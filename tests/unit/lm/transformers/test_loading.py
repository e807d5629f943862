"""Loading: names, adapters, and each kind of missing model as one line."""

import json

import pytest

from selfinstruct_train.config import ModelConfig
from selfinstruct_train.core.records import Request, Sampling
from selfinstruct_train.lm import load_lm
from tests.support.small_model import make_model, make_tokenizer


def refused(path, match, **settings):
    with pytest.raises(ValueError, match=match) as caught:
        load_lm(ModelConfig(path=str(path), device="cpu", **settings))
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_model_names_what_is_missing(tmp_path):
    refused(tmp_path, r"holds no model: config.json, model.safetensors, tokenizer.json missing")
    make_tokenizer(tmp_path)
    refused(tmp_path, r"holds no model: config.json, model.safetensors missing")


def test_pickled_weights_are_not_read(tmp_path, model_folder):
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((model_folder / name).read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    refused(tmp_path, r"holds no model: model.safetensors missing")


def test_a_missing_folder_and_a_file_are_refused(tmp_path):
    refused(tmp_path / "nowhere", "no such folder")
    refused("./nowhere", "no such folder")
    (tmp_path / "file").write_text("x")
    refused(tmp_path / "file", "is a file; give a GGUF file or the folder")


def test_an_unknown_hub_id_is_refused_in_one_line(monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    refused("nobody/no-such-model", "'nobody/no-such-model' cannot be loaded")


def test_broken_weights_and_configs_are_refused_in_one_line(tmp_path, model_folder):
    for file in model_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    refused(tmp_path, "cannot be loaded")
    (tmp_path / "config.json").write_text("{")
    refused(tmp_path, "cannot be loaded")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "vit"}))
    refused(tmp_path, "cannot be loaded")


def test_a_tokenizer_larger_than_the_model_is_refused(tmp_path):
    make_model(tmp_path, len(make_tokenizer(tmp_path)) - 10)
    refused(tmp_path, r"tokenizer has 384 tokens but the model 374 embeddings")


def test_unknown_devices_are_refused(model_folder):
    with pytest.raises(ValueError, match=r"model.device 'warp'"):
        load_lm(ModelConfig(path=str(model_folder), device="warp"))


def test_an_unknown_builtin_model_is_refused():
    refused("builtin:huge", "known: builtin:tiny")


def test_the_name_holds_path_revision_backend_and_dtype(model_folder):
    name = load_lm(ModelConfig(path=str(model_folder), device="cpu")).name
    path, rest = name.rsplit("@", 1)
    revision, backend, dtype = rest.split(" ")
    assert (path, len(revision), backend, dtype) == (str(model_folder), 12, "transformers", "float32")


def test_dtype_is_taken_from_the_config(model_folder):
    lm = load_lm(ModelConfig(path=str(model_folder), device="cpu", dtype="bfloat16"))
    assert lm.name.endswith("bfloat16")
    assert lm.complete([Request("r", "The cat", 0)], Sampling(4))[0].completion_tokens == 4


def test_path_overrides_the_configured_model(model_folder, tmp_path):
    make_model(tmp_path, len(make_tokenizer(tmp_path)), hidden_size=64)
    lm = load_lm(ModelConfig(path=str(model_folder), device="cpu"), path=str(tmp_path))
    assert lm.name.startswith(str(tmp_path))
    assert lm.decoder.network.model.config.hidden_size == 64


def test_a_lora_adapter_folder_loads_with_its_base_and_changes_the_answers(model_folder, tmp_path):
    import torch
    from peft import LoraConfig, get_peft_model

    base = load_lm(ModelConfig(path=str(model_folder), device="cpu"))
    model = base.decoder.network.model
    model.name_or_path = str(model_folder)
    tuned = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    ids = torch.tensor([[5, 9, 33, 70]])
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 0.3, generator=torch.Generator().manual_seed(len(name)))
        expected = tuned(ids).logits
        with tuned.disable_adapter():
            untuned = tuned(ids).logits
    tuned.save_pretrained(tmp_path)
    lm = load_lm(ModelConfig(path=str(model_folder), device="cpu"), path=str(tmp_path))
    with torch.no_grad():
        merged = lm.decoder.network.model(ids).logits
    assert float((merged - expected).abs().max()) < 1e-3
    assert float((merged - untuned).abs().max()) > 0.1


def test_an_adapter_stops_where_its_own_generation_config_says(model_folder, tmp_path):
    import peft
    import transformers

    base = transformers.AutoModelForCausalLM.from_pretrained(model_folder)
    tuned = peft.get_peft_model(base, peft.LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"))
    tuned.save_pretrained(tmp_path)
    assert load_lm(ModelConfig(path=str(tmp_path), device="cpu")).decoder.eos_ids == {0}
    transformers.GenerationConfig(eos_token_id=[5, 0]).save_pretrained(tmp_path)
    assert load_lm(ModelConfig(path=str(tmp_path), device="cpu")).decoder.eos_ids == {0, 5}


def test_an_adapter_folder_without_weights_is_refused(tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "x"}))
    refused(tmp_path, "adapter_model.safetensors is missing")
