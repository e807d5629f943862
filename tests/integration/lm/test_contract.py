"""What every LM backend promises, run over all of them. A new backend enters by passing this suite.

Expected texts are worked out by hand on a model whose logits are the same at every position: a 3.0, b 2.5, c 1.0.
"""

import math
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest

from selfinstruct_train.config import ModelConfig, ServerConfig
from selfinstruct_train.core.records import Completion, Request, Sampling
from selfinstruct_train.lm import LM, load_lm
from tests.support.servers import EXTRA_BODY, LACKS, SERVE, Served, external_servers
from tests.support.small_model import make_constant_model

PROMPTS = [
    "Name three animals",
    "The cat sleeps on the mat. The dog runs in the park with the children in spring.",
    "Task: Sort the words.\nInput: red, blue, green\nOutput:",
    "Write",
    "Is it classification? Yes or no.",
]
SHARED = "Task: Sort the words.\nInput: red, blue, green\nOutput: blue, green, red\n\nTask: "
EXTERNAL = external_servers()
LOCAL = ["transformers", *(["vllm"] if os.environ.get("SELFINSTRUCT_TEST_VLLM") == "1" else [])]


@cache
def open_engine(path: str) -> LM:
    """One engine for a model: it makes its own batches, and each takes seconds to start."""
    return load_lm(ModelConfig(path=path, backend="vllm", device="cpu"))


class Backend:
    """One way to ask the models of `small_model.KINDS`."""

    def __init__(self, request: pytest.FixtureRequest, kind_folder: Callable) -> None:
        self.name: str = request.param
        self.is_server = self.name not in LOCAL
        self._request = request
        self._folder = kind_folder
        self.num_requests = 10 if self.is_server else 40
        """Where many rows are compared."""

    def open(self, kind: str, batch_size: int = 32) -> LM:
        """Open a model; on a server, `batch_size` requests are in flight at once."""
        if not self.is_server:
            path = str(self._folder(kind))
            if self.name == "vllm":
                return open_engine(path)
            return load_lm(ModelConfig(path=path, backend=self.name, device="cpu", batch_size=batch_size))
        if self.name == SERVE:
            place = Served(self._request.getfixturevalue("served").url, str(self._folder(kind)))
        elif kind in EXTERNAL[self.name]:
            place = EXTERNAL[self.name][kind]
        else:
            pytest.skip(f"{self.name} does not serve {kind!r} here")
        server = ServerConfig(
            (place.url,), "NO_KEY", batch_size, max_attempts=2, extra_body=EXTRA_BODY.get(self.name, {})
        )
        return load_lm(ModelConfig(path=place.model, backend="http", server=server))

    def needs(self, *features: str) -> None:
        """Expect the test to fail, and only to fail, where a feature is lacking."""
        lacks = [f"{f}: {LACKS[self.name][f]}" for f in features if f in LACKS.get(self.name, {})]
        if lacks:
            wrong = (AssertionError, pytest.fail.Exception)  # the client itself must cope
            reason = f"{self.name}: {'; '.join(lacks)}"
            self._request.applymarker(pytest.mark.xfail(reason=reason, raises=wrong, strict=True))

    def skips_without(self, *features: str) -> None:
        """Skip the test where a feature is lacking, whose lack shows only now and then."""
        for feature in features:
            if feature in LACKS.get(self.name, {}):
                pytest.skip(f"{self.name}: {feature}: {LACKS[self.name][feature]}")

    def local_only(self, reason: str) -> None:
        if self.is_server:
            pytest.skip(f"{self.name}: {reason}")


@pytest.fixture(params=[*LOCAL, SERVE, *EXTERNAL])
def backend(request, kind_folder) -> Backend:
    return Backend(request, kind_folder)


def requests(count: int, shared: str = "") -> list[Request]:
    return [Request(f"r{i}", f"{shared}{PROMPTS[i % len(PROMPTS)]} {i}", seed=i) for i in range(count)]


def one(lm, sampling: Sampling, prompt: str = "x", seed: int = 0) -> Completion:
    return lm.complete([Request("r", prompt, seed)], sampling)[0]


def test_greedy_takes_the_most_probable_token_until_the_limit(backend):
    answer = one(backend.open("abc"), Sampling(max_new_tokens=4), prompt="xyz")
    assert answer == Completion("r", "aaaa", "length", prompt_tokens=3, completion_tokens=4)


def test_answers_come_in_request_order_whatever_the_prompt_lengths(backend):
    lm = backend.open("random", batch_size=2)
    together = lm.complete(requests(7), Sampling(max_new_tokens=6))
    assert [c.request_id for c in together] == ["r0", "r1", "r2", "r3", "r4", "r5", "r6"]
    assert together == [lm.complete([r], Sampling(max_new_tokens=6))[0] for r in requests(7)]


def test_no_requests_no_answers(backend):
    assert backend.open("abc").complete([], Sampling()) == []


def test_every_answer_is_told_once_before_the_call_returns(backend):
    told: list[Completion] = []
    answers = backend.open("random", batch_size=3).complete(requests(8), Sampling(max_new_tokens=4), told.extend)
    assert sorted(told, key=lambda c: c.request_id) == answers


def test_what_on_answer_raises_ends_the_call(backend):
    def refuse(answers):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        backend.open("random").complete(requests(3), Sampling(max_new_tokens=2), refuse)


@pytest.mark.parametrize(
    ("penalties", "text"),
    [
        # a 3.0 | a 2.6 | b 2.5 > a 2.2 | a 2.2 > b 2.1 | b 2.1 > a 1.8 | a 1.8 > b 1.7
        ({"frequency_penalty": 0.4}, "aababa"),
        # a 3.0 | b 2.5 > a 2.0 | a 2.0 > b 1.5 from here on: presence counts once
        ({"presence_penalty": 1.0}, "abaaaa"),
        # a 3.0 | b 2.5 > a 1.45 | a 1.45 > c 1.0 > b 0.95 | a 1.15 | c 1.0 > b 0.95 > a 0.85 | b 0.95
        ({"presence_penalty": 1.25, "frequency_penalty": 0.3}, "abaacb"),
    ],
)
def test_penalties_follow_the_formula_of_the_openai_reference(backend, penalties, text):
    backend.needs(*penalties)
    assert one(backend.open("abc"), Sampling(max_new_tokens=6, **penalties)).text == text


def test_a_negative_penalty_draws_repetition_nearer(backend):
    assert one(backend.open("abc"), Sampling(max_new_tokens=6, presence_penalty=-1.0)).text == "aaaaaa"


def test_penalties_do_not_count_prompt_tokens(backend):
    backend.needs("presence_penalty")
    sampling = Sampling(max_new_tokens=2, presence_penalty=1.0)
    assert one(backend.open("abc"), sampling, prompt="aaaa a").text == "ab"


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
def test_stop_strings_cut_the_text_at_the_earliest(backend, stop, text, tokens):
    if stop != ("a",):
        backend.needs("frequency_penalty")
    answer = one(backend.open("abc"), Sampling(max_new_tokens=6, frequency_penalty=0.4, stop=stop))
    assert (answer.text, answer.finish_reason) == (text, "stop")
    assert backend.is_server or answer.completion_tokens == tokens


@pytest.mark.parametrize("stop", [("aa",), ("z", "y", "x", "w", "aa")], ids=["one", "the fifth of five"])
def test_a_stop_string_across_tokens_cuts_also_where_a_server_takes_only_four(backend, stop):
    answer = one(backend.open("abc"), Sampling(max_new_tokens=6, stop=stop))
    assert (answer.text, answer.finish_reason) == ("", "stop")


def test_a_stop_string_that_does_not_come_leaves_the_limit(backend):
    answer = one(backend.open("abc"), Sampling(max_new_tokens=3, stop=("z", "\n\n")))
    assert (answer.text, answer.finish_reason) == ("aaa", "length")


def test_a_stop_string_in_the_prompt_does_not_stop(backend):
    answer = one(backend.open("abc"), Sampling(max_new_tokens=2, stop=("x",)), prompt="x x")
    assert (answer.text, answer.finish_reason) == ("aa", "length")


def test_a_stop_character_of_two_byte_tokens_is_found(backend):
    # any penalty on repetition will do
    answer = one(backend.open("accent"), Sampling(max_new_tokens=4, frequency_penalty=0.2, stop=("\u00e9",)))
    assert (answer.text, answer.finish_reason) == ("", "stop")
    assert backend.is_server or answer.completion_tokens == 2


def test_eos_finishes_as_stop_and_leaves_no_text(backend):
    # any penalty on repetition will do
    answer = one(backend.open("ends"), Sampling(max_new_tokens=9, frequency_penalty=0.2))
    assert (answer.text, answer.finish_reason) == ("a", "stop")
    assert backend.is_server or answer.completion_tokens == 2


def test_a_leading_space_of_the_answer_is_kept(backend):
    assert one(backend.open("spaced"), Sampling(max_new_tokens=2)).text == " red red"


def test_bos_is_put_in_front(backend):
    assert one(backend.open("bos"), Sampling(max_new_tokens=1), prompt="x").prompt_tokens == 2


def test_an_empty_prompt_is_a_bos_alone(backend):
    backend.skips_without("empty_prompt")
    assert one(backend.open("bos"), Sampling(max_new_tokens=1), prompt="").prompt_tokens == 1


def test_a_bos_that_the_prompt_begins_with_is_not_doubled(backend):
    backend.needs("bos_once")
    assert one(backend.open("bos"), Sampling(max_new_tokens=1), prompt="<|begin|>x").prompt_tokens == 2


def test_a_chat_request_is_put_into_the_models_template(backend):
    lm = backend.open("chat")
    chat = lm.complete([Request("r", "Name three animals", chat=True)], Sampling(max_new_tokens=12))
    assert chat == [one(lm, Sampling(max_new_tokens=12), prompt="user: Name three animals\nassistant:")]


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
def test_samples_come_as_often_as_softmax_says(backend, temperature, top_p, expected):
    count = 200 if backend.is_server else 3000
    sampling = Sampling(max_new_tokens=1, temperature=temperature, top_p=top_p)
    answers = backend.open("abc", batch_size=256).complete([Request(str(i), "x", i) for i in range(count)], sampling)
    seen = Counter(answer.text for answer in answers)
    assert set(seen) <= set(expected)
    for text, share in expected.items():
        deviation = math.sqrt(share * (1 - share) / count)
        assert abs(seen[text] / count - share) <= 4 * deviation + 1e-4


def test_the_tokens_of_one_row_are_independent_draws(backend):
    text = one(backend.open("abc"), Sampling(max_new_tokens=250, temperature=1.0)).text
    pairs = Counter(pairwise(text))
    assert abs(text.count("a") / 250 - 0.574) < 0.13
    assert abs(pairs["a", "a"] / 249 - 0.574**2) < 0.13


def test_the_seed_alone_tells_equal_prompts_apart(backend):
    sampling = Sampling(max_new_tokens=12, temperature=1.0)
    same, again, other = backend.open("random", batch_size=1).complete(
        [Request("a", "The cat", 5), Request("b", "The cat", 5), Request("c", "The cat", 6)], sampling
    )
    assert same.text == again.text != other.text


def test_seeds_of_63_bits_are_taken_whole(backend):
    sampling = Sampling(max_new_tokens=12, temperature=1.0)
    lm = backend.open("random", batch_size=1)
    low, high = lm.complete([Request("a", "The", 1), Request("b", "The", 2**62 + 1)], sampling)
    assert low.text != high.text


SAMPLINGS = {
    "greedy": Sampling(24),
    "paper": Sampling(24, 0.7, 0.5, 2.0, 0.0, ("\n\n", "16.", ".")),
    "open": Sampling(24, 1.0, 1.0, 0.5, 0.5),
    "narrow": Sampling(24, 1.3, 0.9),
}


@pytest.mark.parametrize("name", SAMPLINGS)
@pytest.mark.parametrize("shared", ["", SHARED], ids=["plain", "shared"])
def test_batch_size_cannot_reach_the_answers(backend, name, shared):
    if name != "greedy":
        backend.skips_without("parallel_seeds")
    backend.skips_without("batch_invariance")
    count = backend.num_requests
    alone, small, large = (
        backend.open("random", batch_size).complete(requests(count, shared), SAMPLINGS[name])
        for batch_size in (1, 8, 64)
    )
    assert alone == small == large
    assert len({answer.text for answer in alone}) > count / 2


def test_neighbours_and_order_cannot_reach_the_answers(backend):
    backend.skips_without("parallel_seeds", "batch_invariance")
    lm, sampling = backend.open("random"), SAMPLINGS["narrow"]
    whole = {a.request_id: a for a in lm.complete(requests(12, SHARED), sampling)}
    part = lm.complete([*reversed(requests(12, SHARED)[3:9]), Request("z", "Rain", 1)], sampling)
    assert [whole[a.request_id] for a in part[:-1]] == part[:-1]


def test_rows_that_finish_early_do_not_disturb_the_others(backend):
    backend.skips_without("parallel_seeds", "batch_invariance")
    lm = backend.open("random", batch_size=16)
    sampling = replace(SAMPLINGS["open"], max_new_tokens=40, stop=("e", "s"))
    answers = lm.complete(requests(16), sampling)
    assert len({a.completion_tokens for a in answers}) > 4
    assert answers == [lm.complete([r], sampling)[0] for r in requests(16)]


def test_a_prompt_beyond_the_context_raises(backend):
    backend.needs("context_limit")
    lm = backend.open("random")
    match = (
        r"row-7.*does not fit"
        if backend.is_server
        else r"row-7.*prompt of 252 tokens and max_new_tokens 20.*context of 256"
    )
    with pytest.raises(ValueError, match=match):
        lm.complete([Request("ok", "x", 0), Request("row-7", "red " * 250, 0)], Sampling(max_new_tokens=20))


def test_a_prompt_that_just_fits_the_context_is_answered(backend):
    answer = one(backend.open("random"), Sampling(max_new_tokens=6), prompt="x" * 250)
    assert answer.prompt_tokens == 250


def test_an_empty_prompt_without_bos_raises(backend):
    backend.needs("empty_prompt_refused")
    with pytest.raises(ValueError, match="no answer|refused" if backend.is_server else r"'r': the prompt is empty"):
        one(backend.open("random"), Sampling(), prompt="")


def test_broken_weights_raise_and_give_no_answer(backend):
    backend.needs("nan_refused")
    with pytest.raises(ValueError, match="no answer" if backend.is_server else "NaN"):
        one(backend.open("broken"), Sampling())


def test_the_name_tells_the_backend(backend):
    lm = backend.open("abc")
    words = {"transformers": " transformers float32", "vllm": "vllm"}
    assert words.get(backend.name, "@served http") in lm.name


def test_the_name_changes_with_the_weights(backend, kind_folder, tmp_path):
    backend.local_only("a server does not tell what its weights are")
    make_constant_model(tmp_path, {"a": 3.0})
    folders = (kind_folder("abc"), kind_folder("random"), tmp_path)
    names = [
        load_lm(ModelConfig(path=str(folder), backend=backend.name, device="cpu")).name.split("@")[1]
        for folder in folders
    ]
    assert len(set(names)) == 3
    assert backend.open("abc").name.split("@")[1] == names[0]
