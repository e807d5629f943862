"""The merged model answers as its adapter does; where it cannot, or does not, that is measured and told."""

import json
import shutil
from dataclasses import replace

import pytest

from selfinstruct_train.config import ModelConfig
from selfinstruct_train.train.findings import findings_table
from selfinstruct_train.train.plan import make_plan
from selfinstruct_train.train.verify import verify

from .conftest import small_model
from .hand_training import hand_train


def test_an_adapter_that_merges_into_another_model_is_refused(make_config, monkeypatch):
    """An export that forgets the scaling: the merged model answers in another way."""
    from selfinstruct_train.train import compare_merged as module

    plan = make_plan(make_config(method="lora"), "seeds+generated")
    hand_train(plan, 80)
    merge = module.merge_adapter

    def merge_half(folder, out, dtype, trust):
        settings = json.loads((folder / "adapter_config.json").read_text())
        half = out.parent / "half"
        shutil.copytree(folder, half)
        (half / "adapter_config.json").write_text(json.dumps(settings | {"lora_alpha": 4}))
        return merge(half, out, dtype, trust)

    monkeypatch.setattr(module, "merge_adapter", merge_half)
    result = verify(plan)
    assert not result.passed
    error = next(finding for finding in result.findings if finding.level == "error")
    assert error.check == "merged"
    assert "of 50 greedy answers are the adapter's" in error.what
    assert "publish the adapter" in error.remedy


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
