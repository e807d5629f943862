"""Models from GGUF files: the tokens and logits of the original, and a network that can be trained and saved."""

import ast
from pathlib import Path

import pytest

from selfinstruct_train.config import ModelConfig
from selfinstruct_train.core.model_source import model_source
from selfinstruct_train.core.records import Request, Sampling
from selfinstruct_train.lm import load_lm
from selfinstruct_train.lm.transformers.pretrained import (
    load_pretrained_network,
    load_pretrained_tokenizer,
    read_pretrained_config,
)
from tests.support.paths import ROOT

TINY = model_source("builtin:tiny")
TEXTS = [
    "Name three colours.\n\nred, blue",
    " caf\u00e9 \u4e16\u754c \U0001f600\t1234567",
    "<a href='x'>{}</a>\r\n",
    "<|endoftext|> a",
]


def logits(network, ids):
    import torch

    with torch.inference_mode():
        return network(torch.tensor([ids])).logits


def test_the_tokenizer_gives_the_ids_of_the_original(gguf_file):
    original, read = load_pretrained_tokenizer(TINY), load_pretrained_tokenizer(gguf_file)
    for text in TEXTS:
        assert read(text)["input_ids"] == original(text)["input_ids"]
    tokens = [(t.eos_token, t.bos_token, t.pad_token, len(t)) for t in (original, read)]
    assert tokens == [("<|endoftext|>", None, "<|pad|>", 2560)] * 2


def test_logits_are_those_of_the_original(gguf_file, quantized_gguf_file):
    import torch

    ids = load_pretrained_tokenizer(TINY)(TEXTS[0])["input_ids"]
    original = logits(load_pretrained_network(TINY, dtype=torch.float32), ids)
    assert float(original.abs().max()) > 10
    # rms_norm_eps is 9.999999974752427e-07 in GGUF, a float32
    exact = logits(load_pretrained_network(gguf_file, dtype=torch.float32), ids)
    assert float((exact - original).abs().max()) < 1e-4
    rounded = logits(load_pretrained_network(quantized_gguf_file, dtype=torch.float32), ids)
    # each of 32 weights is rounded to 1/127 of the largest
    assert 0.001 < float((rounded - original).abs().max()) < 1


def test_the_network_is_an_ordinary_one_that_is_saved(quantized_gguf_file, tmp_path):
    import torch

    network = load_pretrained_network(quantized_gguf_file.parent, dtype=torch.bfloat16)
    assert not network.is_quantized
    assert "quantization_config" not in network.config.to_dict()
    assert {p.dtype for p in network.parameters()} == {torch.bfloat16}
    network.save_pretrained(tmp_path)
    again = load_pretrained_network(tmp_path, dtype=torch.bfloat16)
    assert all(torch.equal(again.state_dict()[name], weight) for name, weight in network.state_dict().items())


def test_the_config_names_only_the_special_tokens_that_the_file_has(gguf_file):
    config = read_pretrained_config(gguf_file)
    assert (config.bos_token_id, config.eos_token_id, config.pad_token_id) == (None, 0, 1)
    config.eos_token_id = 7  # a copy: the next reader gets the file's again
    assert read_pretrained_config(gguf_file).eos_token_id == 0


def test_the_dtype_is_that_of_the_file_or_float32(gguf_file, quantized_gguf_file):
    assert [str(read_pretrained_config(f).dtype) for f in (gguf_file, quantized_gguf_file)] == ["torch.float32"] * 2


def test_a_replaced_file_is_read_again(quantized_gguf_file, tmp_path):
    import gguf

    file = tmp_path / "model.gguf"
    file.write_bytes(quantized_gguf_file.read_bytes())
    assert read_pretrained_config(file).max_position_embeddings == 1024
    reader = gguf.GGUFReader(file, "r+")
    reader.fields["llama.context_length"].parts[-1][0] = 512
    reader.data.flush()
    assert read_pretrained_config(file).max_position_embeddings == 512


def test_a_gguf_file_cannot_be_loaded_in_four_bits(gguf_file):
    with pytest.raises(ValueError, match="set train.method to lora"):
        load_pretrained_network(gguf_file, quantization_config=object())


def test_answers_are_those_of_the_original_and_the_name_pins_the_file(gguf_file):
    requests = [Request(str(i), text, seed=i) for i, text in enumerate(["Name a colour.\n", "Task: Sort the words."])]
    original = load_lm(ModelConfig(device="cpu"))
    read = load_lm(ModelConfig(path=str(gguf_file), device="cpu"))
    assert read.complete(requests, Sampling(12)) == original.complete(requests, Sampling(12))
    path, _, rest = read.name.rpartition("@")
    assert path == str(gguf_file)
    assert len(rest.split(" ")[0]) == 12


def test_an_adapter_finds_its_base_in_a_gguf_file(gguf_file, tmp_path):
    import peft
    import torch

    network = load_pretrained_network(gguf_file, dtype=torch.float32)
    config = peft.LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    adapted = peft.get_peft_model(network, config)
    adapted.peft_config["default"].base_model_name_or_path = str(gguf_file)
    adapted.save_pretrained(tmp_path)
    lm = load_lm(ModelConfig(path=str(tmp_path), device="cpu"))
    ids = load_pretrained_tokenizer(TINY)("Name a colour.\n")["input_ids"]
    with torch.inference_mode():
        best = int(adapted(torch.tensor([ids])).logits[0, -1].argmax())
    answer = lm.complete([Request("r", "Name a colour.\n", 0)], Sampling(1))[0]
    assert answer.text == load_pretrained_tokenizer(TINY).decode([best])


def test_nothing_else_loads_a_causal_lm_its_config_or_its_tokenizer():
    classes = {"AutoModelForCausalLM", "AutoTokenizer", "AutoConfig"}
    found = set()
    for folder in ("selfinstruct_train", "eval"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and node.attr == "from_pretrained":
                    owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
                    if owner in classes:
                        found.add(path.relative_to(ROOT))
    assert found == {Path("selfinstruct_train/lm/transformers/pretrained.py")}
