"""The pretrained network and the transformers model written from it are one function."""

from __future__ import annotations

from pathlib import Path

import torch

SETTINGS = {"tokens": 1000, "seed": 0, "optimizer": "muon", "lr": 0.004, "batch_tokens": 100}


def test_written_model_loads_and_has_the_same_logits(tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tiny_world.export import write_model
    from tiny_world.network import Network, Shape
    from tiny_world.tokenizer import train_tokenizer

    network = Network(Shape(vocab=300, width=64, layers=2, inner=96, context=300), seed=0)
    generator = torch.Generator().manual_seed(1)
    for parameter in network.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    train_tokenizer(["a cat", "a dog"], vocab_size=300, context=300).save_pretrained(tmp_path / "tokenizer")
    write_model(network, tmp_path / "tokenizer", tmp_path / "model", SETTINGS)
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32)
    ids = torch.randint(0, 300, (2, 290), generator=generator)
    with torch.no_grad():
        expected, actual = network.logits(ids).float(), model(ids).logits
    # Both hold bfloat16 weights; the network also rounds activations, by 2**-8 of their size a layer.
    assert expected.std() > 0.5
    assert (expected - actual).abs().mean() < 0.02 * expected.std()
    assert AutoTokenizer.from_pretrained(tmp_path / "model").eos_token_id == 0
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == [
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_muon_makes_singular_values_near_one() -> None:
    from tiny_world.muon import orthogonal

    matrices = torch.randn(3, 32, 80, generator=torch.Generator().manual_seed(0))
    for shaped in (matrices, matrices.transpose(1, 2)):
        values = torch.linalg.svdvals(orthogonal(shaped))
        assert values.min() > 0.5 and values.max() < 1.4
