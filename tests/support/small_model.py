"""A small random Llama and a small byte-level BPE tokenizer, made here: no network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

CORPUS = [
    "Name three animals that live in the sea. The cat sleeps on the mat.",
    "Task: Sort the words.\nInput: red, blue, green\nOutput: blue, green, red\n\n",
    "Write one sentence about rain. 16. Rain falls on the hills in spring.",
    "Is it classification? Yes or no. The dog runs in the park with the children.",
]


def make_tokenizer(folder: Path, bos: bool = False) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=384,
        special_tokens=["<|end|>", "<|begin|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(CORPUS, trainer)
    if bos:
        bpe.post_processor = processors.TemplateProcessing(
            single="<|begin|> $A", special_tokens=[("<|begin|>", bpe.token_to_id("<|begin|>"))]
        )
    options = {"bos_token": "<|begin|>"} if bos else {}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|end|>", **options)
    tokenizer.save_pretrained(folder)
    return tokenizer


def make_model(folder: Path, vocabulary_size: int, **overrides: Any) -> Any:
    """Weights three times as wide as usual, so that the distributions are peaked and samples differ."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    settings = {
        "vocab_size": vocabulary_size,
        "hidden_size": 48,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 32,  # vLLM's attention on a CPU has no smaller one
        "max_position_embeddings": 256,
        "initializer_range": 0.2,
        "bos_token_id": None,
        "eos_token_id": 0,
        "tie_word_embeddings": True,
    }
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = LlamaForCausalLM(LlamaConfig(**(settings | overrides)))
    model.save_pretrained(folder)
    return model


def make_constant_model(folder: Path, logits: dict[str, float]) -> None:
    """A model that gives the same logits at every position: those named (by token), -20 for all others.

    The layers add nothing, every embedding is a row of ones, so the output matrix alone makes the logits.
    """
    import torch

    tokenizer = make_tokenizer(folder)
    model = make_model(folder, len(tokenizer), tie_word_embeddings=False)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        model.model.embed_tokens.weight.fill_(1.0)
        model.lm_head.weight.fill_(-20.0 / 48)
        for token, value in logits.items():
            assert token in tokenizer.get_vocab(), token
            model.lm_head.weight[tokenizer.convert_tokens_to_ids(token)] = value / 48
    model.save_pretrained(folder)


CHAT_TEMPLATE = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"  # one line for each message
    "{% if add_generation_prompt %}assistant:{% endif %}"
)
"""A user's message "hi" is put to the model as "user: hi", a new line and "assistant:"."""


def _random(folder: Path) -> None:
    make_model(folder, len(make_tokenizer(folder)))


def _with_bos(folder: Path) -> None:
    make_model(folder, len(make_tokenizer(folder, bos=True)), bos_token_id=1)


def _with_chat_template(folder: Path) -> None:
    make_model(folder, len(tokenizer := make_tokenizer(folder)))
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)


KINDS: dict[str, Callable[[Path], None]] = {
    "random": _random,
    "abc": lambda folder: make_constant_model(folder, {"a": 3.0, "b": 2.5, "c": 1.0}),
    # e-acute is C3 A9, written so by byte-level BPE; C3 2.8 < A9 2.9 at the second step
    "accent": lambda folder: make_constant_model(folder, {"\u00c3": 3.0, "\u00a9": 2.9}),
    "ends": lambda folder: make_constant_model(folder, {"a": 3.0, "<|end|>": 2.9}),
    "spaced": lambda folder: make_constant_model(folder, {"\u0120red": 3.0}),
    "broken": lambda folder: make_constant_model(folder, {"a": float("nan")}),
    "bos": _with_bos,
    "chat": _with_chat_template,
}
"""The models of the contract suite, by name; a server that somebody else started serves some of them."""


def make_kind(kind: str, folder: Path) -> Path:
    """Write a model of `KINDS`, which samples wherever it is served with a temperature above 0."""
    import json

    folder.mkdir(parents=True, exist_ok=True)
    KINDS[kind](folder)
    path = folder / "generation_config.json"
    settings = json.loads(path.read_text())
    path.write_text(json.dumps(settings | {"do_sample": True, "top_k": 0}))
    return folder
