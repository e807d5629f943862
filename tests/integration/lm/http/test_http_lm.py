"""The http backend before a real server, with trouble made on the way: nothing becomes an answer, nothing is lost."""

import asyncio
import itertools
import json
import logging
import signal
import socket
import subprocess
import sys
import time

import pytest

from selfinstruct_train.config import ModelConfig, ServerConfig
from selfinstruct_train.core.journal import Journal
from selfinstruct_train.core.records import Request, Sampling
from selfinstruct_train.lm import UnansweredError, load_lm
from selfinstruct_train.lm.http import http_lm
from selfinstruct_train.lm.http import retry as http_retry
from tests.support.cli import run_cli
from tests.support.faulty_proxy import FaultyProxy, asked_after_delivery
from tests.support.paths import ROOT

SAMPLING = Sampling(4)
KEY = "sk-test-9f8e7d6c5b4a39281706"


def requests(count: int) -> list[Request]:
    return [Request(f"r{i}", f"The cat {i}", i) for i in range(count)]


@pytest.fixture(autouse=True)
def quick_back_off(monkeypatch):
    monkeypatch.setattr(http_retry, "FIRST_DELAY_SECONDS", 0.02)
    monkeypatch.delenv("NO_KEY", raising=False)


@pytest.fixture
def proxy(served):
    """Make a proxy with a list of faults."""
    opened = []

    def make(*faults: str, cycle: bool = False) -> FaultyProxy:
        opened.append(FaultyProxy(served.url, list(faults), cycle=cycle).__enter__())
        return opened[-1]

    yield make
    for one in opened:
        one.__exit__()


@pytest.fixture
def open_lm(kind_folder):
    def make(*urls: str, model: str = "", **settings):
        settings = {"api_key_env": "NO_KEY", "max_in_flight": 1, "max_attempts": 3, "timeout_seconds": 60.0} | settings
        return load_lm(
            ModelConfig(
                path=model or str(kind_folder("random")), backend="http", server=ServerConfig(tuple(urls), **settings)
            )
        )

    return make


@pytest.fixture
def expected(served, open_lm):
    """What the server answers without trouble."""

    def answers(count: int):
        return open_lm(served.url).complete(requests(count), SAMPLING)

    return answers


TROUBLES = ["500", "502", "503", "529", "429", "429@0.2", "cut", "reset", "malformed", "empty", "echo500"]


@pytest.mark.parametrize("fault", TROUBLES)
def test_trouble_that_passes_is_survived_and_no_answer_is_asked_again(proxy, open_lm, expected, fault):
    way = proxy("ok", fault, fault, "ok", fault)
    told = []
    answers = open_lm(way.url).complete(requests(4), SAMPLING, told.extend)
    assert answers == told == expected(4)
    assert way.num_asked == 7
    assert asked_after_delivery(way.events) == []


@pytest.mark.parametrize("fault", ["429@1", "429@date", "500@1"])
def test_retry_after_is_honoured_in_seconds_and_as_a_date(proxy, open_lm, fault):
    way = proxy(fault)
    open_lm(way.url).complete(requests(1), SAMPLING)
    refused, asked = [e["time"] for e in way.events if e["event"] == "asked"]
    assert asked - refused >= 0.95


def test_a_time_out_is_survived(proxy, open_lm, expected):
    answers = expected(2)
    way = proxy("timeout")
    assert open_lm(way.url, timeout_seconds=2.0).complete(requests(2), SAMPLING) == answers


@pytest.mark.parametrize("fault", ["500", "cut", "reset", "malformed", "empty"])
def test_a_request_that_fails_too_often_stays_open_while_the_others_go_on(proxy, open_lm, expected, fault, tmp_path):
    way = proxy("ok", fault, fault, fault)
    lm, path = open_lm(way.url), tmp_path / "journal.jsonl"
    with Journal.open(path, {}) as journal:
        message = r"^1 of 5 are open, e.g. .*: 1 of 5 requests have no answer \(last: .*give the same command"
        with pytest.raises(UnansweredError, match=message):
            journal.complete(lm, requests(5), SAMPLING)
        assert [f"r{i}" in journal for i in range(5)] == [True, False, True, True, True]
    with Journal.open(path, {}) as journal:
        assert journal.complete(lm, requests(5), SAMPLING) == expected(5)
    assert way.num_asked == 8  # four answers, three failures, and the one open request
    assert asked_after_delivery(way.events) == []


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        ("401", r"HTTP 401 .*Incorrect API key.*environment variable NO_KEY, which is not set"),
        ("404", r"HTTP 404 .*The model does not exist; model.path is '/.*', which must be the server's name for it"),
        ("context", r"request 'r\d' does not fit the model: HTTP 400 .*maximum context length is 256.*lower max_new"),
    ],
)
def test_what_only_the_user_can_mend_stops_at_once_with_one_line(proxy, open_lm, expected, fault, match):
    way = proxy("ok", "ok", fault)
    told = []
    with pytest.raises(ValueError, match=match) as caught:
        open_lm(way.url).complete(requests(9), SAMPLING, told.extend)
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, UnansweredError)
    assert told == expected(2)
    assert way.num_asked == 3


def test_what_is_on_its_way_when_a_call_is_stopped_is_kept(proxy, open_lm, expected):
    way = proxy("ok", "401", "ok", "ok")
    told = []
    with pytest.raises(ValueError, match="HTTP 401"):
        open_lm(way.url, max_in_flight=4).complete(requests(40), SAMPLING, told.extend)
    delivered = [e for e in way.events if e["event"] == "done" and e["delivered"]]
    assert len(told) == len(delivered) >= 3
    assert way.num_asked < 40
    answers = {a.request_id: a for a in expected(40)}
    assert all(answers[a.request_id] == a for a in told)


def test_what_on_answer_raises_stops_the_call_and_keeps_what_is_on_its_way(proxy, open_lm):
    way, told = proxy(), []

    def tell(answers):
        told.extend(answers)
        raise RuntimeError(f"limit reached at {len(told)}")

    with pytest.raises(RuntimeError, match="limit reached at 1$"):
        open_lm(way.url, max_in_flight=3).complete(requests(30), SAMPLING, tell)
    assert len(told) == way.num_asked <= 6


def test_an_unknown_model_is_told_from_an_absent_endpoint(stub, open_lm):
    stub.models = ["tiny-a", "tiny-b"]
    with pytest.raises(ValueError, match=r"HTTP 404 .*model.path is 'other', the server has tiny-a, tiny-b$"):
        open_lm(stub.url, model="other").complete(requests(1), SAMPLING)
    with pytest.raises(ValueError, match=r"no /completions for 'tiny-a'; set generate.prompt_form: chat$"):
        open_lm(stub.url, model="tiny-a").complete(requests(1), SAMPLING)
    stub.models = None
    with pytest.raises(ValueError, match=r"which often ends in /v1$"):
        open_lm(stub.url, model="tiny-a").complete(requests(1), SAMPLING)


def test_a_withheld_answer_is_kept_as_an_empty_one_without_asking_again(proxy, open_lm):
    way = proxy("ok", "filter")
    told = []
    open_lm(way.url).complete(requests(4), SAMPLING, told.extend)
    assert way.num_asked == 4
    assert [(a.request_id, a.finish_reason == "content_filter") for a in told] == [
        ("r0", False), ("r1", True), ("r2", False), ("r3", False),
    ]  # fmt: skip


def test_a_wish_to_wait_for_hours_ends_the_call(proxy, open_lm):
    way = proxy("ok", "429@7200")
    with pytest.raises(UnansweredError, match=r"8 of 9 requests .*asks to come back in 7200 s"):
        open_lm(way.url).complete(requests(9), SAMPLING)
    assert way.num_asked == 2


def test_servers_that_are_down_are_given_up_before_every_request_was_tried(proxy, open_lm):
    way = proxy("500", cycle=True)
    with pytest.raises(UnansweredError, match="100 of 100 requests have no answer"):
        open_lm(way.url).complete(requests(100), SAMPLING)
    assert way.num_asked == http_lm.GIVE_UP_AFTER * 3


def test_servers_share_the_requests(proxy, open_lm, expected):
    ways = [proxy(), proxy(), proxy()]
    answers = open_lm(*(w.url for w in ways), max_in_flight=6).complete(requests(30), SAMPLING)
    assert answers == expected(30)
    assert sum(w.num_asked for w in ways) == 30
    assert min(w.num_asked for w in ways) >= 5


def test_a_server_that_fails_is_rested_and_its_requests_go_to_another(proxy, open_lm, expected, monkeypatch):
    monkeypatch.setattr(http_retry, "FIRST_DELAY_SECONDS", 30.0)  # waiting for it would show
    bad, good = proxy("500", cycle=True), proxy()
    start = time.monotonic()
    answers = open_lm(bad.url, good.url, max_in_flight=2).complete(requests(12), SAMPLING)
    assert answers == expected(12)
    assert bad.num_asked <= 2
    assert time.monotonic() - start < 14


def test_a_server_that_is_absent_is_warned_of_and_the_others_do_its_share(served, open_lm, expected, caplog):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers, and nobody else gets the port
        absent = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        answers = open_lm(absent, served.url, max_in_flight=2).complete(requests(6), SAMPLING)
        assert "no server answers at" in caplog.text
        assert answers == expected(6)
        start = time.monotonic()
        with pytest.raises(ValueError, match=r"^no server answers \(http://127.0.0.1:.*base_urls$") as caught:
            open_lm(absent)
        assert time.monotonic() - start < 10
        assert not isinstance(caught.value, UnansweredError)


def test_a_refused_key_is_found_before_anything_is_asked(stub, open_lm):
    stub.status = 401
    with pytest.raises(ValueError, match="HTTP 401 from .*/models.*NO_KEY, which is not set"):
        open_lm(stub.url)


@pytest.mark.parametrize("key", ["sk-\u043a\u043b\u044e\u0447", "sk-a b", "sk-a\x07"])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(stub, open_lm, monkeypatch, key):
    monkeypatch.setenv("SOME_KEY", key)
    with pytest.raises(ValueError, match="SOME_KEY") as caught:
        open_lm(stub.url, api_key_env="SOME_KEY")
    assert key not in str(caught.value)


def test_the_key_is_sent_and_nothing_where_none_is_set(stub, open_lm, monkeypatch):
    open_lm(stub.url)
    monkeypatch.setenv("SOME_KEY", KEY + "\n")
    open_lm(stub.url, api_key_env="SOME_KEY")
    assert stub.authorizations == ["", f"Bearer {KEY}"]


def test_the_name_holds_model_pin_and_extra_fields_but_no_address(stub, open_lm):
    plain = open_lm(stub.url, model="m")
    assert plain.name == "m@served http"
    assert plain.chunk_size == 16
    extra = {"top_k": 5, "repeat_penalty": 1.0}
    pinned = load_lm(ModelConfig("m", "http", ServerConfig((stub.url,), "NO_KEY"), revision="2026-11"))
    assert pinned.name == "m@2026-11 http"
    assert open_lm(stub.url, model="m", extra_body=extra).name == 'm@served http {"repeat_penalty": 1.0, "top_k": 5}'


def test_many_requests_are_in_flight_at_once(stub, open_lm):
    stub.seconds = 0.3
    answers = open_lm(stub.url, model="m", max_in_flight=20).complete(requests(20), SAMPLING)
    assert len(answers) == 20
    assert stub.most_at_once >= 10


def test_answers_are_told_as_they_come_not_at_the_end(stub, open_lm):
    stub.slow = {"The cat 0"}
    order = []
    open_lm(stub.url, model="m", max_in_flight=3).complete(
        requests(6), SAMPLING, lambda answers: order.extend(a.request_id for a in answers)
    )
    assert order[-1] == "r0"
    assert sorted(order) == [f"r{i}" for i in range(6)]


def test_it_works_where_a_loop_is_running_already(stub, open_lm):
    lm = open_lm(stub.url, model="m")

    async def notebook_cell():
        return lm.complete(requests(2), SAMPLING)

    assert [a.text for a in asyncio.run(notebook_cell())] == ["owl", "owl"]


def test_servers_that_answer_as_different_models_are_warned_of(stub, open_lm, caplog):
    stub.reported = iter(["m-1", "m-2", "m-2"])
    open_lm(stub.url, model="m").complete(requests(3), SAMPLING)
    assert caplog.text.count("answer as different models: m-1, m-2") == 1


def test_a_limit_per_minute_holds_requests_back_over_calls(stub, open_lm, monkeypatch):
    monkeypatch.setattr(http_lm, "LOOK_AGAIN_SECONDS", 0.01)
    times = itertools.count(step=7)  # a clock on which 7 s pass between two looks at it
    lm = open_lm(stub.url, model="m", requests_per_minute=3)
    lm._limits = http_lm.RateLimits(3, None, lambda: next(times))
    lm.complete(requests(2), SAMPLING)  # at 0 and 7
    lm.complete(requests(2), SAMPLING)  # at 14, and not before 60
    assert next(times) == 70


def test_tokens_that_were_reckoned_and_not_used_are_free_again(stub, open_lm):
    lm = open_lm(stub.url, model="m", tokens_per_minute=100)  # 3 + 80 are reckoned, 3 + 1 used
    start = time.monotonic()
    assert len(lm.complete(requests(5), Sampling(80))) == 5
    assert time.monotonic() - start < 45  # a minute each otherwise


def test_an_interrupt_ends_the_call_and_the_answers_before_it_were_told(stub, tmp_path):
    stub.slow, stub.slow_seconds = {"The cat 2"}, 60.0
    code = f"""
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite run in the background hands down that it is ignored
from selfinstruct_train.config import ModelConfig, ServerConfig
from selfinstruct_train.lm import load_lm
from selfinstruct_train.core.records import Request, Sampling
from tests.support.cli import run_cli
lm = load_lm(ModelConfig(path="m", backend="http", server=ServerConfig(({stub.url!r},), "NO_KEY")))
try:
    lm.complete([Request(f"r{{i}}", f"The cat {{i}}") for i in range(3)], Sampling(4),
                lambda answers: print("told", answers[0].request_id, flush=True))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = {process.stdout.readline().strip(), process.stdout.readline().strip()}
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert lines == {"told r0", "told r1"}
    assert (out.strip(), err, process.returncode) == ("interrupted", "", 0)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("faults", [[], ["ok", "echo500", "ok", "echo401"]], ids=["finished", "stopped"])
def test_a_key_occurs_in_no_file_of_a_run_and_not_in_its_output(proxy, tmp_path, faults):
    way = proxy(*faults)
    settings = {
        "run_dir": str(tmp_path / "run"),
        "model": {
            "path": str(ROOT / "selfinstruct_train/assets/models/tiny"),
            "backend": "http",
            "server": {"base_urls": [way.url], "api_key_env": "SOME_KEY"},
        },
        "generate": {
            "seed_tasks": "builtin:tiny",
            "templates": "builtin:tiny",
            "num_instructions": 2,
            "requests_per_round": 2,
            "max_requests": 4,
            "instruction_sampling": {"max_new_tokens": 60, "presence_penalty": 0.0},
            "instance_sampling": {"max_new_tokens": 16, "presence_penalty": 0.0},
        },
    }
    config = tmp_path / "run.yaml"
    config.write_text(json.dumps(settings))  # JSON is YAML
    process = run_cli("generate", config, env={"SOME_KEY": KEY})
    if faults:
        assert process.returncode == 2
        assert "error: HTTP 401" in process.stderr
        assert "wrong credentials: Bearer [key]" in process.stderr
    else:
        assert process.returncode == 0, process.stderr
        assert (tmp_path / "run/dataset/train.parquet").is_file()
    assert way.num_asked >= 3
    assert set(way.authorizations) == {f"Bearer {KEY}"}
    files = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert len(files) >= 3
    for path in files:
        assert KEY.encode() not in path.read_bytes(), path
    assert KEY not in process.stderr + process.stdout
    assert "HTTP Request" not in process.stderr


def test_the_library_that_sends_is_kept_quiet(stub, open_lm, caplog):
    caplog.set_level(logging.DEBUG)
    open_lm(stub.url, model="m").complete(requests(1), SAMPLING)
    assert [r for r in caplog.records if r.name.split(".")[0] in ("httpx", "httpcore")] == []


def test_a_folder_is_loaded_by_transformers_also_where_a_server_generates(kind_folder):
    nobody = ServerConfig(("http://127.0.0.1:9/v1",))
    lm = load_lm(ModelConfig(path="m", backend="http", server=nobody, device="cpu"), str(kind_folder("abc")))
    assert lm.complete([Request("r", "x")], SAMPLING)[0].text == "aaaa"
    assert " transformers " in lm.name


def test_the_evaluation_asks_the_base_model_by_transformers_where_a_server_generates(tmp_path):
    settings = {
        "run_dir": str(tmp_path),
        "model": {"backend": "http", "server": {"base_urls": ["http://127.0.0.1:9/v1"]}, "device": "cpu"},
        "eval": {"max_instances_per_task": 1, "sampling": {"max_new_tokens": 2}, "bootstrap_samples": 10},
    }
    (tmp_path / "run.yaml").write_text(json.dumps(settings))
    process = run_cli("eval", tmp_path / "run.yaml")
    assert process.returncode == 0, process.stderr
    header = json.loads(next((tmp_path / "journal").glob("eval-base*.jsonl")).read_text().splitlines()[0])
    assert header["lm"].startswith("builtin:tiny@")
    assert header["lm"].endswith(" transformers float32")
