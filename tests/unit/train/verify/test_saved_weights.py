"""Where weights lie: beside the model or in the Hub's cache, in one file or by an index; what counts as changed."""

import json

import pytest

from selfinstruct_train.config import ModelConfig
from selfinstruct_train.train.verify.saved_weights import check_full, weight_files


def save(folder, tensors, prefix="", name="model.safetensors"):
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    values = {prefix + key: torch.tensor(value) for key, value in tensors.items()}
    save_file(values, folder / name, metadata={"format": "pt"})
    return folder


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """A snapshot in the Hub's cache, of a model in two files; no network."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    repository = tmp_path / "models--some--model"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("c0ffee")
    return repository / "snapshots" / "c0ffee"


def test_a_base_on_the_hub_is_read_from_the_cache_by_its_index(cached, tmp_path):
    save(cached, {"h.w": [1.0, 2.0]}, name="a.safetensors")
    save(cached, {"h.v": [3.0]}, name="b.safetensors")
    save(cached, {"other.format": [3.0]}, name="consolidated.safetensors")
    index = cached / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"h.w": "a.safetensors", "h.v": "b.safetensors"}}))
    model = ModelConfig(path="some/model")
    assert [file.name for file in weight_files(tmp_path / "some" / "model", model)] == [
        "a.safetensors",
        "b.safetensors",
    ]
    trained = save(tmp_path / "trained", {"h.w": [1.0, 2.5], "h.v": [3.0]}, prefix="transformer.")
    finite, changed = check_full(trained, model)
    assert (finite.level, changed.level) == ("ok", "ok")
    assert changed.what == "1 of 2 tensors differ from the base's, by 0.5 at most"


def test_a_base_in_one_file_and_one_that_is_not_there(cached, tmp_path):
    model = ModelConfig(path="some/model")
    with pytest.raises(ValueError, match="some/model: model.safetensors is missing"):
        weight_files(tmp_path / "some" / "model", model)
    save(cached, {"w": [1.0]})
    assert [file.name for file in weight_files(tmp_path / "some" / "model", model)] == ["model.safetensors"]


def test_few_changed_tensors_are_warned_of_and_no_common_name_is_an_error(tmp_path):
    base = save(tmp_path / "base", {"a": [1.0], "b": [1.0], "c": [1.0]})
    model = ModelConfig(path=str(base))
    few = save(tmp_path / "few", {"a": [1.0], "b": [1.0], "c": [2.0]})
    assert check_full(few, model)[1].level == "warning"
    foreign = check_full(save(tmp_path / "foreign", {"x": [1.0]}), model)[1]
    assert (foreign.level, foreign.remedy) == ("error", "set model.path to the model that was trained")


def test_a_base_in_another_precision_is_compared_in_the_trained_models(tmp_path):
    """0.1 is no bfloat16 number: saved in bfloat16 and not trained, it must not count as changed."""
    import torch
    from safetensors.torch import save_file

    base = save(tmp_path / "base", {"w": [0.1, 0.2]})
    rounded = tmp_path / "rounded"
    rounded.mkdir()
    save_file({"w": torch.tensor([0.1, 0.2], dtype=torch.bfloat16)}, rounded / "model.safetensors")
    changed = check_full(rounded, ModelConfig(path=str(base)))[1]
    assert (changed.level, changed.what[:6]) == ("error", "0 of 1")
