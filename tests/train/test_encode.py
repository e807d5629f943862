"""Row to ids and labels, with the ids written out for a tokenizer whose tokens are bytes."""

import random

import pytest

from selfinstruct_train.prompt_format import evaluation_prompt, prompt_ids, training_text
from selfinstruct_train.train.encode import encode, encode_rows
from selfinstruct_train.train.rows import Row

EOS = 0


@pytest.fixture(scope="module")
def byte_tokenizer():
    """Token id = byte + 2; 0 is the EOS, 1 the BOS, which stands in front."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    alphabet = pre_tokenizers.ByteLevel.alphabet()
    by_byte = {pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(chr(b))[0][0]: b for b in range(128)}
    others = iter(range(130, 400))
    vocabulary = {"<|end|>": 0, "<|begin|>": 1}
    vocabulary |= {symbol: by_byte[symbol] + 2 if symbol in by_byte else next(others) for symbol in sorted(alphabet)}
    bpe = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.post_processor = processors.TemplateProcessing(single="<|begin|> $A", special_tokens=[("<|begin|>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|end|>", bos_token="<|begin|>")


def test_prompt_without_loss_completion_and_eos_with_it(byte_tokenizer):
    # "Q:" is bytes 81 58, " no" is bytes 32 110 111
    row = encode(byte_tokenizer, "Q:", " no", EOS)
    assert row.input_ids == (1, 83, 60, 34, 112, 113, 0)
    assert row.labels == (-100, -100, -100, 34, 112, 113, 0)


def test_a_whole_row_in_the_fixed_format_by_its_ids(byte_tokenizer):
    text = training_text("A", "b", "c", "fixed", random.Random(0))
    row = encode(byte_tokenizer, *text, EOS)
    prompt = b"Instruction: A\nInput: b\nResponse:"
    assert row.input_ids == (1, *(byte + 2 for byte in prompt), 34, 101, 0)
    assert row.labels == (*[-100] * 34, 34, 101, 0)


def test_there_is_one_bos_even_where_the_text_holds_one(byte_tokenizer):
    assert encode(byte_tokenizer, "<|begin|>Q", " a", EOS).input_ids == (1, 83, 34, 99, 0)


def test_training_and_inference_see_the_same_prompt_ids(tokenizer):
    for input in ("", "red, blue"):
        prompt, completion = training_text("Sort the words.", input, "blue", "fixed", random.Random(0))
        row = encode(tokenizer, prompt, completion, EOS)
        seen = prompt_ids(tokenizer, evaluation_prompt("Sort the words.", input, "fixed"))
        assert list(row.input_ids[: len(seen)]) == seen
        assert set(row.labels[: len(seen)]) == {-100}
        assert tokenizer.decode(row.input_ids[len(seen) :]) == " blue<|end|>"


def test_a_merge_across_the_border_leaves_the_prompt_ids_alone(tokenizer):
    # "anim" + "als" would merge; inference sees the prompt by itself
    row = encode(tokenizer, "Name three anim", "als", EOS)
    seen = tokenizer("Name three anim")["input_ids"]
    assert list(row.input_ids[: len(seen)]) == seen
    assert tokenizer.decode(row.input_ids) == "Name three animals<|end|>"


def test_a_sentencepiece_like_tokenizer_puts_one_space_between():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {"</s>": 0, "\u2581": 1, "a": 2, "b": 3, "\u2581a": 4, "\u2581b": 5, ":": 6}
    bpe = Tokenizer(models.BPE(vocab=vocabulary, merges=[("\u2581", "a"), ("\u2581", "b")]))
    bpe.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    bpe.decoder = decoders.Metaspace(prepend_scheme="always", split=False)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="</s>")
    assert encode(tokenizer, "a:", " b", 0).input_ids == (4, 6, 5, 0)


def test_rows_are_dropped_by_reason_and_never_cut(tokenizer):
    rows = [
        Row("Name a colour.", "", "red"),
        Row("Name a colour.", "", "red"),
        Row("Name a colour.", "", " \n"),
        Row("", "x", "y"),
        Row("Name a colour.", "", "red " * 60),
    ]
    encoding = encode_rows(rows, tokenizer, "fixed", 60, EOS, seed=1)
    assert encoding.dropped == {"blank": (2, 3), "too_long": (4,), "duplicate": (1,)}
    assert len(encoding.rows) == 1
    longest = len(encoding.rows[0].input_ids)
    assert len(encode_rows(rows, tokenizer, "fixed", longest, EOS, seed=1).rows) == 1
    with pytest.raises(ValueError, match=f"2 have a blank .* and 3 are longer than {longest - 1} tokens"):
        encode_rows(rows, tokenizer, "fixed", longest - 1, EOS, seed=1)


def test_every_row_ends_in_a_supervised_eos(tokenizer):
    rows = [Row(f"Name {i} things.", "x" * (i % 3), f"thing {i}") for i in range(50)]
    encoding = encode_rows(rows, tokenizer, "paper", 200, EOS, seed=1)
    assert {(row.input_ids[-1], row.labels[-1]) for row in encoding.rows} == {(EOS, EOS)}


def test_the_drawn_format_depends_on_seed_and_row_not_on_place(tokenizer):
    rows = [Row(f"Name {i} things.", "", f"thing {i}") for i in range(40)]
    forward = encode_rows(rows, tokenizer, "paper", 200, EOS, seed=1).rows
    assert set(encode_rows(rows[::-1], tokenizer, "paper", 200, EOS, seed=1).rows) == set(forward)
    assert encode_rows(rows, tokenizer, "paper", 200, EOS, seed=2).rows != forward
