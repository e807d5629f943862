"""What is sent and how answers are read: real bodies of servers, and broken ones."""

import json

import pytest

from selfinstruct_train.config import ServerConfig
from selfinstruct_train.core.records import Completion, Request, Sampling
from selfinstruct_train.lm.http.messages import (
    FilteredError,
    QuotaError,
    RefusedError,
    TransientError,
    raise_error,
    read_answer,
    request_body,
    server_seed,
)

PLAIN = Request("r", "Name three animals:", 5)
CHAT = Request("r", "Name three animals:", 5, chat=True)
KEY = "sk-0123456789abcdef"


def body(text="owl, bear", reason="stop", counted=True, **more):
    answer = {"choices": [{"index": 0, "text": text, "finish_reason": reason}], "model": "m"}
    if counted:
        answer["usage"] = {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}
    return json.dumps(answer | more)


def read(text, request=PLAIN, sampling=Sampling(), key=None):  # noqa: B008
    return read_answer(text, request, sampling, key)[0]


def test_a_request_carries_every_field_of_the_sampling():
    sampling = Sampling(9, 0.7, 0.5, 2.0, 0.25, ("\n\n", "16."))
    assert request_body("m", PLAIN, sampling, ServerConfig()) == {
        "model": "m",
        "prompt": "Name three animals:",
        "max_tokens": 9,
        "temperature": 0.7,
        "top_p": 0.5,
        "presence_penalty": 2.0,
        "frequency_penalty": 0.25,
        "seed": 6,
        "stop": ["\n\n", "16."],
    }


def test_a_chat_request_is_one_message_of_the_user():
    sent = request_body("m", CHAT, Sampling(), ServerConfig())
    assert sent["messages"] == [{"role": "user", "content": "Name three animals:"}]
    assert not {"prompt", "stop"} & set(sent)


def test_four_stop_strings_are_sent():
    sent = request_body("m", PLAIN, Sampling(stop=("a", "b", "c", "d", "e")), ServerConfig())
    assert sent["stop"] == ["a", "b", "c", "d"]


def test_extra_fields_are_added_and_null_takes_one_out():
    server = ServerConfig(extra_body={"repeat_penalty": 1.0, "seed": None})
    sent = request_body("m", PLAIN, Sampling(), server)
    assert sent["repeat_penalty"] == 1.0
    assert "seed" not in sent


def test_seeds_are_positive_int31_and_differ_for_seeds_that_differ_in_high_bits():
    assert [server_seed(s) for s in (0, 1, 2**31 - 2, 2**62 + 1)] == [1, 2, 1, 6]
    assert all(0 < server_seed(2**63 - k) < 2**31 for k in range(1, 50))


def test_the_answer_is_text_reason_and_the_servers_counts():
    assert read(body()) == Completion("r", "owl, bear", "stop", 5, 4)
    assert read_answer(body(), PLAIN, Sampling(), None)[1] == "m"


def test_a_chat_answer_is_the_assistants_message():
    text = json.dumps({"choices": [{"message": {"role": "assistant", "content": "owl"}, "finish_reason": "length"}]})
    # no usage: 19 characters are about 5 tokens, 3 are about 1
    assert read(text, CHAT) == Completion("r", "owl", "length", 5, 1)


def test_stop_text_that_a_server_left_is_cut_and_ends_as_stop():
    assert read(body("a\nb##c", "length"), sampling=Sampling(stop=("##", "\n"))) == Completion("r", "a", "stop", 5, 4)


@pytest.mark.parametrize(
    ("reason", "limit", "expected"),
    [("eos_token", 9, "stop"), ("stop_sequence", 9, "stop"), (None, 9, "stop"), (None, 4, "length")],
)
def test_other_names_for_the_end_are_known_and_a_silent_server_is_judged_by_its_count(reason, limit, expected):
    assert read(body(reason=reason), sampling=Sampling(limit)).finish_reason == expected


def test_an_empty_text_is_an_answer_only_if_the_server_says_why_it_ended():
    assert read(body("")).text == ""
    with pytest.raises(TransientError, match="no text"):
        read(body("", reason=None))


def test_a_model_that_only_thought_gives_an_empty_answer():
    text = json.dumps({"choices": [{"message": {"content": None}, "finish_reason": "length"}]})
    assert read(text, CHAT).text == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        body()[:40],
        "null",
        "[]",
        "{}",
        '{"choices": []}',
        '{"choices": [null]}',
        '{"choices": {"text": "owl"}}',
        '{"choices": [{"text": null, "finish_reason": "stop"}]}',
        '{"choices": [{"text": 5, "finish_reason": "stop"}]}',
        '{"choices": [{"message": {"content": "a chat answer"}, "finish_reason": "stop"}]}',
        '{"error": {"message": "overloaded"}}',
        "<html>Bad gateway</html>",
    ],
)
def test_what_is_no_answer_is_asked_again(text):
    with pytest.raises(TransientError):
        read(text)


@pytest.mark.parametrize("reason", ["tool_calls", {"type": "stop"}, ["stop"], 1])
def test_an_answer_of_another_kind_is_refused(reason):
    with pytest.raises(RefusedError, match="finish_reason"):
        read(body("owl", reason))


def test_an_answer_that_was_withheld_is_an_empty_one():
    withheld = read(body("owl", "content_filter"))
    assert (withheld.text, withheld.finish_reason) == ("", "content_filter")


@pytest.mark.parametrize("count", [None, -1, 0, "4", 4.5, True])
def test_a_count_that_is_none_is_estimated(count):
    usage = {} if count is None else {"usage": {"completion_tokens": count}}
    assert read(body("12345", counted=False, **usage)).completion_tokens == 2


def failure(status, text="", headers=None, key=None):
    try:
        raise_error(status, headers or {}, text, "http://h/v1/completions", key, PLAIN)
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_troubles_that_pass_are_asked_again(status):
    error = failure(status, json.dumps({"error": {"message": "busy"}}), {"retry-after": "7"})
    assert isinstance(error, TransientError)
    assert (str(error), error.wait) == (f"HTTP {status} from http://h/v1/completions: busy", 7.0)
    assert error.rests_server == (status in (429, 503, 529))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            400,
            {"error": {"message": "This model's maximum context length is 4096 tokens.", "code": "x"}},
        ),  # OpenAI, vLLM
        (400, {"error": {"message": "Requested tokens (600) exceed context window of 512"}}),  # llama_cpp.server
        (400, {"error": {"message": "the request exceeds the available context size"}}),  # llama.cpp server
        (422, {"detail": "prompt is longer than the context length"}),
    ],
)
def test_a_prompt_that_does_not_fit_tells_what_to_change(status, said):
    error = failure(status, json.dumps(said))
    assert type(error) is ValueError
    assert "request 'r' does not fit the model" in str(error)
    assert "lower max_new_tokens" in str(error)


def test_other_refusals_hold_the_servers_words():
    error = failure(422, json.dumps({"detail": "Unexpected fields in the request: {'seed'}"}))  # transformers serve
    assert type(error) is ValueError
    assert str(error) == (
        "request 'r' was refused: HTTP 422 from http://h/v1/completions: Unexpected fields in the request: {'seed'}"
    )


def test_an_account_that_is_used_up_is_not_asked_again():
    assert isinstance(failure(429, '{"error": {"message": "no", "code": "insufficient_quota"}}'), QuotaError)
    assert isinstance(failure(402, "Payment required"), QuotaError)


def test_a_content_filter_that_answers_400_refuses_the_one_request():
    assert isinstance(failure(400, '{"error": {"message": "no", "code": "content_filter"}}'), FilteredError)
    other = failure(400, '{"error": {"message": "no", "code": "content_policy_violation"}}')
    assert isinstance(other, FilteredError)


@pytest.mark.parametrize("text", [f'{{"error": {{"message": "bad Bearer {KEY}"}}}}', f"Bearer {KEY}", f'"{KEY}"'])
@pytest.mark.parametrize("status", [400, 500, 402])
def test_the_key_is_taken_out_of_what_a_server_says(status, text):
    error = str(failure(status, text, key=KEY))
    assert KEY not in error
    assert "[key]" in error


def test_the_key_is_taken_out_of_answers_but_a_short_one_may_be_a_word():
    assert read(body(f"a {KEY}"), key=KEY).text == "a [key]"
    escaped = "".join(f"\\u{ord(c):04x}" for c in KEY)
    assert read(body(f"a {KEY}").replace(KEY, escaped), key=KEY).text == "a [key]"
    assert read(body("there are none"), key="none").text == "there are none"
    with pytest.raises(TransientError) as caught:
        read('{"choices": [], "key": "none"}', key="none")
    assert "none" not in str(caught.value)


def test_long_answers_are_shown_short_and_in_one_line():
    message = str(failure(500, "x\n" * 5000))
    assert len(message) < 400
    assert "\n" not in message
