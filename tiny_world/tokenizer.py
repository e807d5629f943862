"""The tiny base model's tokenizer: byte-level BPE trained on the little world's text.

Each digit and each line break is a token of its own, so that a number reads the same everywhere and a prompt that ends
with a line break splits the same with and without what follows. Two special tokens: the document separator, which is
also the EOS, and padding. No token is added by itself, neither before nor after the text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

END_OF_TEXT = "<|endoftext|>"
PADDING = "<|pad|>"
# A word or a run of signs takes one space before it along; an English clitic is a piece; other space stands alone.
PIECES = r"\n|'(?:s|t|re|ve|m|ll|d)(?!\p{L})| ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|[^\S\n]+(?=[^\S\n])|[^\S\n]"


def train_tokenizer(texts: Iterable[str], vocab_size: int, context: int) -> PreTrainedTokenizerFast:
    """Train a tokenizer of at most vocab_size tokens; `<|endoftext|>` is id 0 and `<|pad|>` id 1.

    Args:
        context: the model's longest input in tokens, stored as model_max_length.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT, PADDING],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END_OF_TEXT,
        pad_token=PADDING,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
