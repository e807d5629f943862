"""What every LM backend promises, run over all of them. A new backend enters by passing this suite.

Expected texts are worked out by hand on a model whose logits are the same at every position: a 3.0, b 2.5, c 1.0.
"""

import math
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from selfinstruct_train.config import ModelConfig
from selfinstruct_train.lm import load_lm
from selfinstruct_train.types import Completion, Request, Sampling

from .small_model import make_constant_model, make_model, make_tokenizer

PROMPTS = [
    "Name three animals",
    "The cat sleeps on the mat. The dog runs in the park with the children in spring.",
    "Task: Sort the words.\nInput: red, blue, green\nOutput:",
    "Write",
    "Is it classification? Yes or no.",
]
SHARED = "Task: Sort the words.\nInput: red, blue, green\nOutput: blue, green, red\n\nTask: "


def transformers_lm(folder: Path, batch_size: int = 32):
    return load_lm(ModelConfig(path=str(folder), device="cpu", batch_size=batch_size))


BACKENDS = {"transformers": transformers_lm}


@pytest.fixture(params=BACKENDS)
def open_lm(request):
    return BACKENDS[request.param]


@pytest.fixture(scope="session")
def abc_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("abc")
    make_constant_model(folder, {"a": 3.0, "b": 2.5, "c": 1.0})
    return folder


def requests(count: int, shared: str = "") -> list[Request]:
    return [Request(f"r{i}", f"{shared}{PROMPTS[i % len(PROMPTS)]} {i}", seed=i) for i in range(count)]


def one(lm, sampling: Sampling, prompt: str = "x", seed: int = 0) -> Completion:
    return lm.complete([Request("r", prompt, seed)], sampling)[0]


def test_greedy_takes_the_most_probable_token_until_the_limit(open_lm, abc_folder):
    answer = one(open_lm(abc_folder), Sampling(max_new_tokens=4), prompt="xyz")
    assert answer == Completion("r", "aaaa", "length", prompt_tokens=3, completion_tokens=4)


def test_answers_come_in_request_order_whatever_the_prompt_lengths(open_lm, model_folder):
    lm = open_lm(model_folder, batch_size=2)
    together = lm.complete(requests(7), Sampling(max_new_tokens=6))
    assert [c.request_id for c in together] == ["r0", "r1", "r2", "r3", "r4", "r5", "r6"]
    assert together == [lm.complete([r], Sampling(max_new_tokens=6))[0] for r in requests(7)]


def test_no_requests_no_answers(open_lm, abc_folder):
    assert open_lm(abc_folder).complete([], Sampling()) == []


@pytest.mark.parametrize(
    ("penalties", "text"),
    [
        # a 3.0 | a 2.6 | b 2.5 > a 2.2 | a 2.2 > b 2.1 | b 2.1 > a 1.8 | a 1.8 > b 1.7
        ({"frequency_penalty": 0.4}, "aababa"),
        # a 3.0 | b 2.5 > a 2.0 | a 2.0 > b 1.5 from here on: presence counts once
        ({"presence_penalty": 1.0}, "abaaaa"),
        # a 3.0 | b 2.5 > a 1.45 | a 1.45 > c 1.0 > b 0.95 | a 1.15 | c 1.0 > b 0.95 > a 0.85 | b 0.95
        ({"presence_penalty": 1.25, "frequency_penalty": 0.3}, "abaacb"),
        # negative penalties draw repetition nearer
        ({"presence_penalty": -1.0}, "aaaaaa"),
    ],
)
def test_penalties_follow_the_formula_of_the_openai_reference(open_lm, abc_folder, penalties, text):
    assert one(open_lm(abc_folder), Sampling(max_new_tokens=6, **penalties)).text == text


def test_penalties_do_not_count_prompt_tokens(open_lm, abc_folder):
    sampling = Sampling(max_new_tokens=2, presence_penalty=1.0)
    assert one(open_lm(abc_folder), sampling, prompt="aaaa a").text == "ab"


@pytest.mark.parametrize(
    ("stop", "text", "tokens"),
    [
        (("ba",), "aa", 4),  # across tokens
        (("bab", "b"), "aa", 3),  # whichever is complete first
        (("aab", "b"), "", 3),  # both end at the same token: the earlier start
        (("a",), "", 1),
        (("aababa",), "", 6),  # complete with the very last token: stop, not length
    ],
)
def test_stop_strings_cut_the_text_at_the_earliest(open_lm, abc_folder, stop, text, tokens):
    answer = one(open_lm(abc_folder), Sampling(max_new_tokens=6, frequency_penalty=0.4, stop=stop))
    assert (answer.text, answer.finish_reason, answer.completion_tokens) == (text, "stop", tokens)


def test_a_stop_string_that_does_not_come_leaves_the_limit(open_lm, abc_folder):
    answer = one(open_lm(abc_folder), Sampling(max_new_tokens=3, stop=("z", "\n\n")))
    assert (answer.text, answer.finish_reason) == ("aaa", "length")


def test_a_stop_string_in_the_prompt_does_not_stop(open_lm, abc_folder):
    answer = one(open_lm(abc_folder), Sampling(max_new_tokens=2, stop=("x",)), prompt="x x")
    assert (answer.text, answer.finish_reason) == ("aa", "length")


def test_a_stop_character_of_two_byte_tokens_is_found(open_lm, tmp_path):
    # e-acute is C3 A9, written so by byte-level BPE; C3 2.8 < A9 2.9 at the second step
    make_constant_model(tmp_path, {"\u00c3": 3.0, "\u00a9": 2.9})
    answer = one(open_lm(tmp_path), Sampling(max_new_tokens=4, frequency_penalty=0.2, stop=("\u00e9",)))
    assert (answer.text, answer.finish_reason, answer.completion_tokens) == ("", "stop", 2)


def test_eos_finishes_as_stop_and_leaves_no_text(open_lm, tmp_path):
    make_constant_model(tmp_path, {"a": 3.0, "<|end|>": 2.9})
    answer = one(open_lm(tmp_path), Sampling(max_new_tokens=9, frequency_penalty=0.2))
    assert (answer.text, answer.finish_reason, answer.completion_tokens) == ("a", "stop", 2)


def test_a_leading_space_of_the_answer_is_kept(open_lm, tmp_path):
    make_constant_model(tmp_path, {"\u0120red": 3.0})
    assert one(open_lm(tmp_path), Sampling(max_new_tokens=2)).text == " red red"


def test_bos_is_put_in_front_once(open_lm, tmp_path):
    tokenizer = make_tokenizer(tmp_path, bos=True)
    make_model(tmp_path, len(tokenizer), bos_token_id=1)
    lm = open_lm(tmp_path)
    assert one(lm, Sampling(max_new_tokens=1), prompt="x").prompt_tokens == 2
    assert one(lm, Sampling(max_new_tokens=1), prompt="<|begin|>x").prompt_tokens == 2
    assert one(lm, Sampling(max_new_tokens=1), prompt="").prompt_tokens == 1


@pytest.mark.parametrize(
    ("temperature", "top_p", "expected"),
    [
        # e^3 20.0855, e^2.5 12.1825, e^1 2.7183: sum 34.9863
        (1.0, 1.0, {"a": 0.5741, "b": 0.3482, "c": 0.0777}),
        # at temperature 0.5: e^6 403.43, e^5 148.41, e^2 7.389: sum 559.23
        (0.5, 1.0, {"a": 0.7214, "b": 0.2654, "c": 0.0132}),
        # 0.5741 < 0.6 <= 0.9223: a and b remain
        (1.0, 0.6, {"a": 0.6225, "b": 0.3775}),
        (1.0, 0.5, {"a": 1.0}),
    ],
)
def test_samples_come_as_often_as_softmax_says(open_lm, abc_folder, temperature, top_p, expected):
    count = 3000
    sampling = Sampling(max_new_tokens=1, temperature=temperature, top_p=top_p)
    answers = open_lm(abc_folder, batch_size=256).complete([Request(str(i), "x", i) for i in range(count)], sampling)
    seen = Counter(answer.text for answer in answers)
    assert set(seen) == set(expected)
    for text, share in expected.items():
        deviation = math.sqrt(share * (1 - share) / count)
        assert abs(seen[text] / count - share) <= 4 * deviation + 1e-4


def test_the_tokens_of_one_row_are_independent_draws(open_lm, abc_folder):
    text = one(open_lm(abc_folder), Sampling(max_new_tokens=250, temperature=1.0)).text
    pairs = Counter(pairwise(text))
    assert abs(text.count("a") / 250 - 0.574) < 0.13
    assert abs(pairs["a", "a"] / 249 - 0.574**2) < 0.13


def test_the_seed_alone_tells_equal_prompts_apart(open_lm, model_folder):
    sampling = Sampling(max_new_tokens=12, temperature=1.0)
    same, again, other = open_lm(model_folder).complete(
        [Request("a", "The cat", 5), Request("b", "The cat", 5), Request("c", "The cat", 6)], sampling
    )
    assert same.text == again.text != other.text


def test_seeds_of_63_bits_are_taken_whole(open_lm, model_folder):
    sampling = Sampling(max_new_tokens=12, temperature=1.0)
    low, high = open_lm(model_folder).complete([Request("a", "The", 1), Request("b", "The", 2**62 + 1)], sampling)
    assert low.text != high.text


SAMPLINGS = {
    "greedy": Sampling(24),
    "paper": Sampling(24, 0.7, 0.5, 2.0, 0.0, ("\n\n", "16.", ".")),
    "open": Sampling(24, 1.0, 1.0, 0.5, 0.5),
    "narrow": Sampling(24, 1.3, 0.9),
}


@pytest.mark.parametrize("name", SAMPLINGS)
@pytest.mark.parametrize("shared", ["", SHARED], ids=["plain", "shared"])
def test_batch_size_cannot_reach_the_answers(open_lm, model_folder, name, shared):
    alone, small, large = (
        open_lm(model_folder, batch_size).complete(requests(40, shared), SAMPLINGS[name]) for batch_size in (1, 8, 64)
    )
    assert alone == small == large
    assert len({answer.text for answer in alone}) > 20


def test_neighbours_and_order_cannot_reach_the_answers(open_lm, model_folder):
    lm, sampling = open_lm(model_folder), SAMPLINGS["narrow"]
    whole = {a.request_id: a for a in lm.complete(requests(12, SHARED), sampling)}
    part = lm.complete([*reversed(requests(12, SHARED)[3:9]), Request("z", "Rain", 1)], sampling)
    assert [whole[a.request_id] for a in part[:-1]] == part[:-1]


def test_rows_that_finish_early_do_not_disturb_the_others(open_lm, model_folder):
    lm = open_lm(model_folder, batch_size=16)
    sampling = replace(SAMPLINGS["open"], max_new_tokens=40, stop=("e", "s"))
    answers = lm.complete(requests(16), sampling)
    assert len({a.completion_tokens for a in answers}) > 4
    assert answers == [lm.complete([r], sampling)[0] for r in requests(16)]


def test_a_prompt_beyond_the_context_raises_before_anything_is_generated(open_lm, model_folder):
    lm = open_lm(model_folder)
    long = Request("row-7", "red " * 250, 0)
    with pytest.raises(ValueError, match=r"row-7.*prompt of 252 tokens and max_new_tokens 20.*context of 256"):
        lm.complete([Request("ok", "x", 0), long], Sampling(max_new_tokens=20))


def test_a_prompt_that_just_fits_the_context_is_answered(open_lm, model_folder):
    answer = one(open_lm(model_folder), Sampling(max_new_tokens=6), prompt="x" * 250)
    assert answer.prompt_tokens == 250


def test_an_empty_prompt_without_bos_raises(open_lm, model_folder):
    with pytest.raises(ValueError, match=r"'r': the prompt is empty"):
        one(open_lm(model_folder), Sampling(), prompt="")


def test_broken_weights_raise_and_give_no_answer(open_lm, tmp_path):
    make_constant_model(tmp_path, {"a": float("nan")})
    with pytest.raises(ValueError, match="NaN"):
        one(open_lm(tmp_path), Sampling())


def test_name_tells_the_backend_and_changes_with_the_weights(open_lm, abc_folder, model_folder, tmp_path):
    make_constant_model(tmp_path, {"a": 3.0})
    names = [open_lm(folder).name.split("@")[1] for folder in (abc_folder, model_folder, tmp_path)]
    assert len(set(names)) == 3
    assert open_lm(abc_folder).name.split("@")[1] == names[0]
