"""Loading what is trained: precision and attention as asked, and faults of a base in one line."""

import json
import shutil

import pytest

from selfinstruct_train.train.network.model import load_network, make_skeleton


def load(config, embeddings_needed=384):
    return load_network(config.model, config.train, on_gpu=False, embeddings_needed=embeddings_needed)


@pytest.mark.parametrize(
    ("settings", "dtype"),
    [
        ({"method": "full", "precision": "bfloat16"}, "float32"),  # or updates would be lost
        ({"method": "lora", "precision": "bfloat16"}, "bfloat16"),  # frozen
        ({"method": "lora"}, "float32"),
    ],
)
def test_weights_have_the_precision_that_their_method_needs(make_config, settings, dtype):
    assert str(load(make_config(**settings)).dtype) == f"torch.{dtype}"


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_attention_is_what_was_asked_for(make_config, attention):
    assert load(make_config(attention=attention)).config._attn_implementation == attention


def test_attention_that_is_not_there_is_refused_by_its_setting(make_config):
    with pytest.raises(ValueError, match="train.attention is flash_attention_2, choose another"):
        load(make_config(attention="flash_attention_2"))


def test_a_tokenizer_with_more_tokens_than_embeddings_is_refused(make_config):
    with pytest.raises(ValueError, match="tokenizer and rows need 385 embeddings but the model has 384"):
        load(make_config(), embeddings_needed=385)


def test_a_skeleton_has_the_models_size_and_no_weights(make_config):
    config = make_config()
    skeleton = make_skeleton(config.model)
    assert skeleton.num_parameters() == load(config).num_parameters()
    assert {parameter.device.type for parameter in skeleton.parameters()} == {"meta"}


def test_beam_and_sampling_settings_that_do_not_apply_are_dropped_and_others_kept(make_config, base_folder, tmp_path):
    from dataclasses import replace

    shutil.copytree(base_folder, tmp_path / "base")
    config = make_config()
    config = replace(config, model=replace(config.model, path=str(tmp_path / "base")))
    kept = {}
    for do_sample in (False, True):
        settings = {"do_sample": do_sample, "top_k": 20, "length_penalty": 0.5, "repetition_penalty": 1.1}
        (tmp_path / "base" / "generation_config.json").write_text(json.dumps(settings))
        network = load(config)
        network.generation_config.pad_token_id = 3  # changed, it is checked when it is saved
        network.save_pretrained(tmp_path / "saved")
        kept[do_sample] = json.loads((tmp_path / "saved" / "generation_config.json").read_text())
    assert "top_k" not in kept[False]
    assert kept[True]["top_k"] == 20
    for settings in kept.values():
        assert settings["repetition_penalty"] == 1.1
        assert "length_penalty" not in settings
