"""Small tokenizers of the kinds that real models have, with vocabularies small enough to work ids out by hand.

In each, id 0 is the unknown token, 1 the BOS and 2 the EOS; a byte's token is 3 + the byte (a line break, 10, is 13),
and pieces follow from 259 on, named by each function.
"""

from collections.abc import Callable
from typing import Any

SPECIAL = ("<unk>", "<s>", "</s>")
SPACE = "\u2581"  # how SentencePiece writes a space
TURNS = ("<|im_start|>", "<|im_end|>")

# Llama-3's and Qwen's way to cut a text into words (a public regular expression of their tokenizer.json files)
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_symbols() -> list[str]:
    """The character that byte-level BPE writes for each byte: itself where it can be seen, else one from 256 on."""
    visible = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = iter(range(256, 512))
    return [chr(byte) if byte in visible else chr(next(hidden)) for byte in range(256)]


def _finish(core: Any, bos: str | None, eos: str, template: str | None = None, **options: Any) -> Any:
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    if template is not None:
        ids = {"<s>": 1, "</s>": 2}
        used = [(token, id) for token, id in ids.items() if token in template]
        core.post_processor = processors.TemplateProcessing(single=template, special_tokens=used)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, bos_token=bos, eos_token=eos, **options)
    assert tokenizer.eos_token_id == 2
    return tokenizer


def _byte_level(pre_tokenizer: Any) -> Any:
    from tokenizers import Tokenizer, decoders, models

    symbols = byte_symbols()
    newline, space = symbols[10], symbols[32]
    pieces = (newline * 2, space + "b", "ab")
    vocabulary = {token: id for id, token in enumerate((*SPECIAL, *symbols, *pieces))}
    merges = [(newline, newline), (space, "b"), ("a", "b")]
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    core.pre_tokenizer = pre_tokenizer
    core.decoder = decoders.ByteLevel()
    return core


def gpt2(adds_bos: bool = False) -> Any:
    """Byte-level BPE, as GPT-2's and Qwen's. Pieces: 259 two line breaks, 260 " b", 261 "ab"."""
    from tokenizers import pre_tokenizers

    core = _byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False))
    return _finish(core, "<s>" if adds_bos else None, "</s>", "<s> $A" if adds_bos else None)


def llama3() -> Any:
    """Byte-level BPE with Llama-3's words and a BOS in front; the pieces of `gpt2`."""
    from tokenizers import Regex, pre_tokenizers

    words = pre_tokenizers.Split(Regex(WORDS), "isolated")
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return _finish(_byte_level(pre_tokenizers.Sequence([words, bytes_])), "<s>", "</s>", "<s> $A")


def _sentencepiece_vocabulary(pieces: tuple[str, ...]) -> dict[str, int]:
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    return {token: id for id, token in enumerate((*SPECIAL, *bytes_, *pieces))}


def llama2(is_legacy: bool) -> Any:
    """SentencePiece BPE with byte fallback and a BOS. Pieces: 259 space, 260 a, 261 b, 262 " a", 263 " b", 264 "ab".

    Legacy (Llama 2): a space goes before every stretch of text between special tokens; else (Mistral v0.3, Llama 2 with
    legacy=False): before the whole text only.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    vocabulary = _sentencepiece_vocabulary((SPACE, "a", "b", SPACE + "a", SPACE + "b", "ab"))
    merges = [(SPACE, "a"), (SPACE, "b"), ("a", "b")]
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    if is_legacy:
        core.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)])
    else:
        core.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="first", split=False)
    core.decoder = decoders.Sequence(
        [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return _finish(core, "<s>", "</s>", "<s> $A", unk_token="<unk>")


def unigram() -> Any:
    """Unigram with byte fallback; like T5's it puts an EOS behind every text and knows no BOS.

    Pieces: 259 space, 260 a, 261 b, 262 " a", 263 " b", 264 a line break and b.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    # A piece of two characters is likelier than its parts together, so it wins wherever it fits.
    scores = {SPACE: -2.0, "a": -2.0, "b": -2.0, SPACE + "a": -3.0, SPACE + "b": -3.0, "\nb": -3.0}
    vocabulary = [(token, scores.get(token, -10.0)) for token in _sentencepiece_vocabulary(tuple(scores))]
    core = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=True))
    core.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    core.decoder = decoders.Sequence(
        [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return _finish(core, None, "</s>", "$A </s>", unk_token="<unk>")


def characters() -> Any:
    """One token for each character: 3 + its code point, as far as 255; no pre-tokenizer, no BOS, lossless."""
    from tokenizers import Tokenizer, decoders, models

    vocabulary = {token: id for id, token in enumerate((*SPECIAL, *(chr(code) for code in range(256))))}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    core.decoder = decoders.Fuse()
    return _finish(core, None, "</s>", unk_token="<unk>")


def with_turns(tokenizer: Any) -> Any:
    """Add ChatML's two tokens, as the last two ids."""
    tokenizer.add_special_tokens({"additional_special_tokens": list(TURNS)})
    return tokenizer


TYPES: dict[str, Callable[[], Any]] = {
    "gpt2": gpt2,
    "gpt2_bos": lambda: gpt2(adds_bos=True),
    "llama3": llama3,
    "llama2_legacy": lambda: llama2(True),
    "llama2": lambda: llama2(False),
    "unigram": unigram,
    "characters": characters,
}
