"""Row to ids and labels: the ids written out for each type of tokenizer, and what becomes of rows that are too long."""

import random

import pytest

from selfinstruct_train.config import TrainConfig
from selfinstruct_train.core.prompt_format import (
    FIXED_TEMPLATE_WITH_INPUT,
    FIXED_TEMPLATE_WITHOUT_INPUT,
    TRAIN_TEMPLATES_WITH_INPUT,
    TRAIN_TEMPLATES_WITHOUT_INPUT,
    chat_ids,
    evaluation_prompt,
    prompt_ids,
    training_text,
    user_message,
)
from selfinstruct_train.core.records import Row
from selfinstruct_train.train.data.encode import encode, encode_rows
from tests.support.tokenizers_of_types import CHATML, TYPES, with_turns

EOS = 2
END = 0
"""Of the small model's tokenizer."""


def settings(template, max_length, **others):
    return TrainConfig(template=template, max_length=max_length, **others)


# Ids: 3 + the byte, or a piece from 259 on (tokenizers_of_types); 1 is the BOS, 2 the EOS.
LITERAL = [
    # "a:" is bytes 97 58; " b" is one piece everywhere but among characters
    *[("gpt2", "a:", " b", (100, 61), (260,)), ("gpt2_bos", "a:", " b", (1, 100, 61), (260,))],
    *[("llama3", "a:", " b", (1, 100, 61), (260,)), ("characters", "a:", " b", (100, 61), (35, 101))],
    # SentencePiece puts a space before the prompt's "a", and none but the text's own before the completion's "b"
    *[("llama2_legacy", "a:", " b", (1, 262, 61), (263,)), ("llama2", "a:", " b", (1, 262, 61), (263,))],
    ("unigram", "a:", " b", (262, 61), (263,)),
    # two line breaks are one piece of byte-level BPE at the end of a prompt, but would be two before a letter
    *[("gpt2", "a\n\n", "b", (100, 259), (101,)), ("llama3", "a\n\n", "b", (1, 100, 259), (101,))],
    # "b" alone would get a space; "\nb" is a piece of the unigram model, which must not swallow the prompt's last byte
    *[("llama2_legacy", "a\n\n", "b", (1, 262, 13, 13), (261,)), ("llama2", "a\n\n", "b", (1, 262, 13, 13), (261,))],
    *[("unigram", "a\n\n", "b", (262, 13, 13), (261,)), ("characters", "a\n\n", "b", (100, 13, 13), (101,))],
    # "ab" is a piece, across the border too
    *[("gpt2", "a", "b", (100,), (101,)), ("llama3", "a", "b", (1, 100), (101,))],
    *[("llama2_legacy", "a", "b", (1, 262), (261,)), ("llama2", "a", "b", (1, 262), (261,))],
    *[("gpt2", "\n", "ab", (13,), (261,)), ("llama2_legacy", "\n", "ab", (1, 259, 13), (264,))],
    # e-acute: bytes C3 A9 (195 169), code point 233; the owl: bytes F0 9F A6 89
    *[("gpt2", "a", " \u00e9", (100,), (35, 198, 172)), ("llama3", "a", "\u00e9", (1, 100), (198, 172))],
    *[("llama2_legacy", "a", " \u00e9", (1, 262), (259, 198, 172)), ("unigram", "a", "\u00e9", (262,), (198, 172))],
    *[("characters", "a", "\u00e9", (100,), (236,)), ("llama2", "a", "\U0001f989", (1, 262), (243, 162, 169, 140))],
]


@pytest.mark.parametrize(("kind", "prompt", "completion", "before", "after"), LITERAL)
def test_ids_of_each_type_of_tokenizer_written_out(kind, prompt, completion, before, after):
    row = encode(TYPES[kind](), prompt, completion, EOS)
    assert row.input_ids == (*before, *after, 2)
    assert row.labels == (*[-100] * len(before), *after, 2)


def test_a_whole_row_in_the_fixed_format_by_its_ids():
    text = training_text("A", "b", "c", "fixed", random.Random(0))
    row = encode(TYPES["gpt2_bos"](), *text, EOS)
    prompt = b"Instruction: A\nInput:"
    answer = b"\nResponse:"
    assert row.input_ids == (1, *(byte + 3 for byte in prompt), 260, *(byte + 3 for byte in answer), 35, 102, 2)
    assert row.labels == (*[-100] * 33, 35, 102, 2)


@pytest.mark.parametrize("kind", ["gpt2_bos", "llama3", "llama2_legacy", "llama2"])
@pytest.mark.parametrize("text", ["<s>a", "<s><s>a"])
def test_there_is_one_bos_even_where_the_text_holds_one(kind, text):
    assert encode(TYPES[kind](), text, "b", EOS).input_ids.count(1) == 1


OUTPUTS = ("ab b", "b", "b\nc  d\n\n b", "\u00e9t\u00e9", "1. a\n2. b", "</b>", "\u00fc" * 3)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("input", ["", "a b", "Text: a\n\nb"])
def test_in_every_format_training_has_the_ids_of_inference_and_the_completion_is_the_output(kind, input):
    """All 7 + 6 formats of the paper, the fixed ones, and a chat."""
    tokenizer = TYPES[kind]()
    chat = with_turns(TYPES[kind]())
    chat.chat_template = CHATML
    formats = (*TRAIN_TEMPLATES_WITH_INPUT, FIXED_TEMPLATE_WITH_INPUT)
    if not input:
        formats = (*TRAIN_TEMPLATES_WITHOUT_INPUT, FIXED_TEMPLATE_WITHOUT_INPUT)
    for output in OUTPUTS:
        for format in formats:
            prompt = format.prompt.format(instruction="Do b.", input=input)
            row = encode(tokenizer, prompt, format.completion.format(output=output), EOS)
            check(tokenizer, row, prompt_ids(tokenizer, prompt), output, EOS)
        end = chat.convert_tokens_to_ids("<|im_end|>")
        row = encode_rows([Row("", "Do b.", input, output)], chat, settings("chat", 500), seed=1).rows[0]
        check(chat, row, chat_ids(chat, user_message("Do b.", input), ""), output, end)


def check(tokenizer, row, asked, output, end):
    assert list(row.input_ids[: len(asked)]) == asked
    assert set(row.labels[: len(asked)]) == {-100}
    after = row.input_ids[len(asked) :]
    assert row.labels[len(asked) :] == after
    assert after[-1] == end
    assert after.count(end) == 1
    assert tokenizer.decode(after[:-1], clean_up_tokenization_spaces=False).strip() == output
    bos = tokenizer.bos_token_id
    assert bos is None or row.input_ids.count(bos) == asked.count(bos) <= 1


THOUGHTS = (
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
LLAMA2_CHAT = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% else %} {{ m.content }} {{ eos_token }}{% endif %}{% endfor %}"
)
CHAT = {
    # the newline behind <|im_end|> is not trained on; ids 262 and 263 are the two tokens of a turn
    "chatml": (CHATML, b"\n", "a", (100, 263)),
    # the thoughts of a finished answer are cut out of the history: the model still learns what follows its prompt
    "thoughts": (CHATML.removesuffix("{% endif %}") + THOUGHTS, b"\n<think>\n\n</think>\n\n", "a", (100, 263)),
    # the assistant's line opens with a space that only the record has, and ends in no special token: EOS, 2
    "plain": (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant:{% endif %}",
        b"assistant:",
        "b",
        (260, 2),
    ),
    # a channel that the model writes itself, as gpt-oss does
    "channel": (
        "{% for m in messages %}<|im_start|>{{ m.role }}{% if m.role == 'assistant' %}!final\n{% endif %}"
        "{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant{% endif %}",
        b"assistant",
        "a",
        (36, 105, 108, 113, 100, 111, 13, 100, 263),  # "!final", a line break, a
    ),
}


@pytest.mark.parametrize("kind", CHAT)
def test_a_chat_is_learned_from_the_opening_to_the_token_that_ends_the_turn(kind):
    template, prompt_end, output, after = CHAT[kind]
    tokenizer = with_turns(TYPES["gpt2"]())
    tokenizer.chat_template = template
    row = encode_rows([Row("", "Do.", "", output)], tokenizer, settings("chat", 200), seed=1).rows[0]
    asked = chat_ids(tokenizer, "Do.", "")
    assert row.input_ids[: len(asked)] == tuple(asked)
    assert row.input_ids[len(asked) :] == row.labels[len(asked) :] == after
    plain = tokenizer.decode(asked, clean_up_tokenization_spaces=False).encode()
    assert plain.endswith(prompt_end)


@pytest.mark.parametrize(("kind", "message"), [("llama2_legacy", (259, 94, 76)), ("llama2", (94, 76))])
def test_a_llama2_chat_has_one_bos_and_its_own_eos(kind, message):
    tokenizer = TYPES[kind]()
    tokenizer.chat_template = LLAMA2_CHAT
    row = encode_rows([Row("", "b", "", "a")], tokenizer, settings("chat", 200), seed=1).rows[0]
    inst = tuple(byte + 3 for byte in b"NST]")
    close = tuple(byte + 3 for byte in b"[/INST]")
    # legacy puts a space behind the BOS; the completion is " a " and the EOS
    assert row.input_ids == (1, *message, *inst, 263, 259, *close, 262, 259, 2)
    assert row.labels[-3:] == (262, 259, 2)
    assert set(row.labels[:-3]) == {-100}


def test_a_template_that_opens_an_answer_in_another_way_than_it_records_it_is_refused():
    tokenizer = with_turns(TYPES["gpt2"]())
    tokenizer.chat_template = CHATML.replace("<|im_start|>assistant", "<|im_start|>model")
    with pytest.raises(
        ValueError, match=r"opens an answer with .*model.* but records it .*; use train.template: fixed"
    ):
        encode_rows([Row("", "Do.", "", "a")], tokenizer, settings("chat", 200), seed=1)
    tokenizer.chat_template = None
    with pytest.raises(
        ValueError, match=r"no chat template; use an instruct model, or plain prompts \(train.template: f"
    ):
        encode_rows([Row("", "Do.", "", "a")], tokenizer, settings("chat", 200), seed=1)
    tokenizer.chat_template = "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}"
    with pytest.raises(ValueError, match="leaves out the assistant's answer"):
        encode_rows([Row("", "Do.", "", "a")], tokenizer, settings("chat", 200), seed=1)


def test_training_and_inference_see_the_same_prompt_ids(tokenizer):
    for input in ("", "red, blue"):
        prompt, completion = training_text("Sort the words.", input, "blue", "fixed", random.Random(0))
        row = encode(tokenizer, prompt, completion, END)
        seen = prompt_ids(tokenizer, evaluation_prompt("Sort the words.", input, "fixed"))
        assert list(row.input_ids[: len(seen)]) == seen
        assert set(row.labels[: len(seen)]) == {-100}
        assert tokenizer.decode(row.input_ids[len(seen) :]) == " blue<|end|>"


def test_a_merge_across_the_border_leaves_the_prompt_ids_alone(tokenizer):
    # "anim" + "als" would merge; inference sees the prompt by itself
    row = encode(tokenizer, "Name three anim", "als", END)
    seen = tokenizer("Name three anim")["input_ids"]
    assert list(row.input_ids[: len(seen)]) == seen
    assert tokenizer.decode(row.input_ids) == "Name three animals<|end|>"


def test_rows_are_dropped_by_reason_and_never_cut(tokenizer):
    rows = [
        Row("", "Name a colour.", "", "red"),
        Row("", "Name a colour.", "", "red"),
        Row("", "Name a colour.", "", " \n"),
        Row("", "", "x", "y"),
        Row("", "Name a colour.", "", "red " * 60),
    ]
    encoding = encode_rows(rows, tokenizer, settings("fixed", 60), seed=1)
    assert encoding.dropped == {"blank": (2, 3), "too_long": (4,), "duplicate": (1,)}
    assert len(encoding.rows) == 1
    longest = len(encoding.rows[0].input_ids)
    assert len(encode_rows(rows, tokenizer, settings("fixed", longest), seed=1).rows) == 1
    with pytest.raises(ValueError, match=f"2 have a blank .* and 3 are longer than {longest - 1} tokens"):
        encode_rows(rows, tokenizer, settings("fixed", longest - 1), seed=1)


def test_every_row_ends_in_a_supervised_eos(tokenizer):
    rows = [Row("", f"Name {i} things.", "x" * (i % 3), f"thing {i}") for i in range(50)]
    encoding = encode_rows(rows, tokenizer, settings("paper", 200), seed=1)
    assert {(row.input_ids[-1], row.labels[-1]) for row in encoding.rows} == {(END, END)}


def test_the_drawn_format_depends_on_seed_and_row_not_on_place(tokenizer):
    rows = [Row("", f"Name {i} things.", "", f"thing {i}") for i in range(40)]
    forward = encode_rows(rows, tokenizer, settings("paper", 200), seed=1).rows
    assert set(encode_rows(rows[::-1], tokenizer, settings("paper", 200), seed=1).rows) == set(forward)
    assert encode_rows(rows, tokenizer, settings("paper", 200), seed=2).rows != forward


def test_a_longer_completion_is_cut_without_an_end_where_the_run_wants_it_cut():
    rows = [Row("", "b", "", "aaa"), Row("", "b", "", "a"), Row("", "bbb", "", "a"), Row("", "b", "", "aaab")]
    tokenizer = TYPES["gpt2"]()
    prompt = len(prompt_ids(tokenizer, evaluation_prompt("b", "", "fixed")))  # " b" is one piece
    encoding = encode_rows(rows, tokenizer, settings("fixed", prompt + 3, too_long="truncate"), seed=1)
    assert [row.labels[prompt:] for row in encoding.rows] == [(35, 100, 100), (35, 100, 2), (-100, -100, 35)]
    assert encoding.numbers == (0, 1, 2)
    assert encoding.truncated == (0, 2)
    assert encoding.dropped == {"blank": (), "too_long": (), "duplicate": (3,)}  # cut, it equals the first
    whole = encode_rows(rows, tokenizer, settings("fixed", prompt + 3), seed=1)
    assert (whole.numbers, whole.truncated, whole.dropped["too_long"]) == ((1,), (), (0, 2, 3))


def test_a_prompt_that_leaves_no_room_for_an_answer_is_dropped_even_where_rows_are_cut():
    tokenizer = TYPES["gpt2"]()
    prompt = len(prompt_ids(tokenizer, evaluation_prompt("bbb", "", "fixed")))
    rows = [Row("", "bbb", "", "a"), Row("", "b", "", "a")]
    encoding = encode_rows(rows, tokenizer, settings("fixed", prompt, too_long="truncate"), seed=1)
    assert (encoding.numbers, encoding.truncated, encoding.dropped["too_long"]) == ((1,), (1,), (0,))


def test_an_output_that_the_tokenizer_does_not_see_is_blank():
    from tokenizers import normalizers

    tokenizer = TYPES["gpt2"]()
    tokenizer.backend_tokenizer.normalizer = normalizers.Replace("\u200b", "")
    rows = [Row("", "b", "", "a"), Row("", "Say it in a\nb", "", "\u200b")]
    chat = with_turns(tokenizer)
    chat.chat_template = CHATML
    assert encode_rows(rows, chat, settings("chat", 200), seed=1).dropped["blank"] == (1,)


def test_a_tokenizer_that_has_no_id_for_a_character_is_refused_with_row_and_remedy():
    from transformers import PreTrainedTokenizer

    class WithoutUnknownToken(PreTrainedTokenizer):
        """Characters up to "y", as a tokenizer written in Python may know them."""

        def get_vocab(self):
            return {"</s>": 0} | {chr(code): code for code in range(1, ord("z"))}

        @property
        def vocab_size(self):
            return ord("z")

        def _tokenize(self, text):
            return list(text)

        def _convert_token_to_id(self, token):
            return self.get_vocab().get(token)

        def _convert_id_to_token(self, index):
            return "</s>" if index == 0 else chr(index)

    tokenizer = WithoutUnknownToken(eos_token="</s>", unk_token=None, special_tokens_pattern="none")
    rows = [Row("", "Say it.", "", "so"), Row("", "Name the\n animal.", "", "a zebra")]
    assert len(encode_rows(rows[:1], tokenizer, settings("fixed", 200), seed=1).rows) == 1
    with pytest.raises(ValueError) as refused:
        encode_rows(rows, tokenizer, settings("fixed", 200), seed=1)
    assert str(refused.value) == (
        "row 2 ('Name the animal.'): the tokenizer gives None as a token id, and ids are whole numbers from 0; set "
        "unk_token in tokenizer_config.json, or take another model"
    )
