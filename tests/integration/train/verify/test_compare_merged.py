"""The merged model answers as its adapter does; where it cannot, or does not, that is measured and told."""

import json
import shutil
from dataclasses import replace

import pytest

from selfinstruct_train.config import ModelConfig
from selfinstruct_train.train.checks.findings import findings_table
from selfinstruct_train.train.plan import make_plan
from selfinstruct_train.train.verify.verification import verify
from tests.support import small_model
from tests.support.hand_training import hand_train


@pytest.mark.parametrize("room", ["for float32", "for 16 bits only"])
def test_an_adapter_that_merges_into_another_model_is_refused(make_config, monkeypatch, room):
    """An export that forgets the scaling: the merged model answers in another way."""
    from selfinstruct_train.train.verify import compare_merged as module

    config = make_config(method="lora")
    if room == "for 16 bits only":
        config = replace(config, model=replace(config.model, dtype="bfloat16"))
        monkeypatch.setattr(module, "find_device", lambda *_: None)
    plan = make_plan(config, "seeds+generated")
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
    assert "of 50 greedy answers are the adapter's (in their first 32 tokens)" in error.what
    assert "publish the adapter" in error.remedy
    told = "compared in bfloat16 only, where 80% are required: neither GPU nor RAM has room for float32"
    assert (told in error.what) == (room == "for 16 bits only")


@pytest.mark.parametrize(("same", "level"), [(0.8, "ok"), (0.78, "error")])
def test_in_16_bits_most_answers_must_be_equal_and_that_it_was_no_more_is_told(same, level):
    from selfinstruct_train.train.verify.compare_merged import _merge_finding

    figures = {"merged_same_text": same, "merged_logits_difference": 0.5, "merged_logits_tolerance": 1e-3}
    figures |= {"merged_compared_in": "bfloat16", "merged_parted_at_ties": 0}
    finding = _merge_finding(figures, 50, is_exact=False, is_equal=False)
    assert finding.level == level
    assert "compared in bfloat16 only" in finding.what
    assert _merge_finding(figures, 50, is_exact=True, is_equal=False).level == "error"


def test_what_answers_in_16_bits_is_compared_in_float32_where_there_is_room(make_config):
    config = make_config(method="lora")
    plan = make_plan(replace(config, model=replace(config.model, dtype="bfloat16")), "seeds+generated")
    hand_train(plan, 5)
    assert verify(plan).figures["merged_compared_in"] == "float32"


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
