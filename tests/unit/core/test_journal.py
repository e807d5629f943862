"""The journal: answers once given are kept, resumed from, and never asked for again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from selfinstruct_train.core import journal as journal_module
from selfinstruct_train.core.journal import Journal, read_journal
from selfinstruct_train.core.records import Completion, Request, Sampling, UnansweredError
from selfinstruct_train.lm.base import OnAnswer

HEADER = {"stage": "test", "seed": 1, "lm": "echo", "sampling": {"temperature": 0.0, "stop": ["\n"]}}
SAMPLING = Sampling()
REQUESTS = [Request(f"r{i}", f"prompt {i}", i) for i in range(7)]


class EchoLM:
    """Answers "<prompt>!" and notes every chunk it was asked."""

    name = "echo"

    def __init__(self, chunk_size: int = 3, fail_at: int | None = None) -> None:
        self.chunk_size = chunk_size
        self.fail_at = fail_at
        self.chunks: list[list[str]] = []

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        if self.fail_at == len(self.chunks):
            raise ConnectionError("the server went away")
        self.chunks.append([r.id for r in requests])
        return [Completion(r.id, r.prompt + "!", "stop", 2, 3) for r in requests]


def test_answers_come_in_request_order_and_chunks_are_cut_by_position(tmp_path: Path) -> None:
    lm = EchoLM()
    with Journal.open(tmp_path / "j.jsonl", HEADER) as journal:
        answers = journal.complete(lm, REQUESTS, SAMPLING)
    assert [a.text for a in answers] == [f"prompt {i}!" for i in range(7)]
    assert lm.chunks == [["r0", "r1", "r2"], ["r3", "r4", "r5"], ["r6"]]


def test_a_stored_answer_is_never_asked_again(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.jsonl", HEADER) as journal:
        first = journal.complete(EchoLM(), REQUESTS, SAMPLING)
    before = (tmp_path / "j.jsonl").read_bytes()
    lm = EchoLM()
    with Journal.open(tmp_path / "j.jsonl", HEADER) as journal:
        assert journal.complete(lm, REQUESTS, SAMPLING) == first
        assert "r3" in journal and "r7" not in journal and len(journal) == 7
    assert lm.chunks == []
    assert (tmp_path / "j.jsonl").read_bytes() == before


def test_a_resumed_run_asks_the_same_chunks_as_an_undisturbed_one(tmp_path: Path) -> None:
    failing = EchoLM(fail_at=1)
    with Journal.open(tmp_path / "j.jsonl", HEADER) as journal, pytest.raises(ConnectionError):
        journal.complete(failing, REQUESTS, SAMPLING)
    lm = EchoLM()
    with Journal.open(tmp_path / "j.jsonl", HEADER) as journal:
        journal.complete(lm, REQUESTS, SAMPLING)
    assert failing.chunks + lm.chunks == [["r0", "r1", "r2"], ["r3", "r4", "r5"], ["r6"]]


def test_what_a_model_told_before_it_failed_is_kept(tmp_path: Path) -> None:
    class HalfLM(EchoLM):
        def complete(
            self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
        ) -> list[Completion]:
            assert on_answer is not None
            on_answer([Completion(requests[1].id, "kept", "stop", 2, 3)])
            raise ConnectionError("the server went away")

    with Journal.open(tmp_path / "j.jsonl", HEADER) as journal, pytest.raises(ConnectionError):
        journal.complete(HalfLM(), REQUESTS, SAMPLING)
    lm = EchoLM()
    with Journal.open(tmp_path / "j.jsonl", HEADER) as journal:
        assert journal.complete(lm, REQUESTS, SAMPLING)[1].text == "kept"
    assert lm.chunks == [["r0", "r2"], ["r3", "r4", "r5"], ["r6"]]


def test_a_request_that_stays_open_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    class ShyLM(EchoLM):
        def complete(
            self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
        ) -> list[Completion]:
            answered = super().complete([r for r in requests if r.id != "r1"], sampling)
            assert on_answer is not None
            on_answer(answered)
            if len(answered) < len(requests):
                raise UnansweredError("1 of 3 has no answer", others_may_be=True)
            return answered

    lm = ShyLM()
    with Journal.open(tmp_path / "j.jsonl", HEADER) as journal:
        with pytest.raises(UnansweredError, match="1 of 7 are open, e.g. 'r1': 1 of 3 has no answer"):
            journal.complete(lm, REQUESTS, SAMPLING)
        assert len(journal) == 6


def test_a_prompt_in_a_chat_is_another_prompt(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.jsonl", HEADER) as journal:
        journal.complete(EchoLM(), REQUESTS[:1], SAMPLING)
        with pytest.raises(ValueError, match="belongs to another prompt"):
            journal.complete(EchoLM(), [Request("r0", "prompt 0", 0, chat=True)], SAMPLING)


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_torn_last_line_is_cut_and_asked_again(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j.jsonl"
    with Journal.open(path, HEADER) as journal:
        journal.complete(EchoLM(), REQUESTS, SAMPLING)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    lm = EchoLM()
    with Journal.open(path, HEADER) as journal:
        journal.complete(lm, REQUESTS, SAMPLING)
    assert lm.chunks == [["r6"]]
    assert path.read_bytes() == whole


def test_a_torn_header_begins_the_journal_anew(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    path.write_text('{"format": 1, "sta')
    with Journal.open(path, HEADER) as journal:
        assert len(journal) == 0
    assert read_journal(path) == ({"format": 1, **HEADER}, [])


def test_another_header_is_refused_naming_every_differing_field(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    Journal.open(path, HEADER).close()
    other = {**HEADER, "seed": 2, "sampling": {"temperature": 0.7, "stop": ["\n"]}}
    with pytest.raises(ValueError, match="another configuration") as error:
        Journal.open(path, other)
    assert "seed: 1 there, 2 now; sampling.temperature: 0.0 there, 0.7 now" in str(error.value)
    assert "stage" not in str(error.value)


def test_another_file_is_told_to_be_perhaps_the_package_s_own(tmp_path: Path) -> None:
    Journal.open(tmp_path / "j.jsonl", {"seed": 1, "templates_sha256": "aa"}).close()
    hint = "a built-in file may have changed with the package"
    with pytest.raises(
        ValueError, match=rf'\(templates_sha256: "aa" there, "bb" now; {hint}\); choose another run_dir'
    ):
        Journal.open(tmp_path / "j.jsonl", {"seed": 1, "templates_sha256": "bb"})
    with pytest.raises(ValueError, match=r"\(seed: 1 there, 2 now\); choose another run_dir"):
        Journal.open(tmp_path / "j.jsonl", {"seed": 2, "templates_sha256": "aa"})


def test_a_field_that_only_one_header_has_is_named_too(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    Journal.open(path, {"stage": "a", "old": 1}).close()
    with pytest.raises(ValueError, match=r"new: \(absent\) there, 2 now; old: 1 there, \(absent\) now"):
        Journal.open(path, {"stage": "a", "new": 2})


def test_a_tuple_in_the_header_equals_the_list_it_is_stored_as(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    Journal.open(path, {"stop": ("a", "b")}).close()
    Journal.open(path, {"stop": ("a", "b")}).close()


def test_a_check_before_the_model_is_known_compares_the_fields_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    Journal.check(path, {"seed": 1})
    assert not path.exists()
    Journal.open(path, HEADER).close()
    before = path.read_bytes()
    Journal.check(path, {k: v for k, v in HEADER.items() if k != "lm"})
    with pytest.raises(ValueError, match="seed: 1 there, 3 now"):
        Journal.check(path, {"seed": 3})
    with pytest.raises(ValueError, match=r"new: \(absent\) there, 1 now"):
        Journal.check(path, {"new": 1})
    assert path.read_bytes() == before


def test_a_stored_answer_to_another_prompt_is_refused_with_the_first_id(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.jsonl", HEADER) as journal:
        journal.complete(EchoLM(), REQUESTS, SAMPLING)
    changed = [Request(r.id, r.prompt + (" changed" if r.id in ("r2", "r4") else ""), r.seed) for r in REQUESTS]
    with Journal.open(tmp_path / "j.jsonl", HEADER) as journal, pytest.raises(ValueError, match="'r2'"):
        journal.complete(EchoLM(), changed, SAMPLING)


def test_a_second_user_is_refused_while_the_first_has_it_open(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with Journal.open(path, HEADER), pytest.raises(ValueError, match="another process"):
        Journal.open(path, HEADER)
    Journal.open(path, HEADER).close()


def test_another_process_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    code = (
        "import sys; from selfinstruct_train.core.journal import Journal\n"
        "try: Journal.open(sys.argv[1], {})\n"
        "except ValueError as e: sys.exit(3 if 'another process' in str(e) else 4)\n"
    )
    with Journal.open(path, {}):
        assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 3
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 0


def test_a_broken_line_in_the_middle_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with Journal.open(path, HEADER) as journal:
        journal.complete(EchoLM(), REQUESTS, SAMPLING)
    lines = path.read_text().splitlines()
    lines[3] = lines[3][:-5]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match=r"j\.jsonl:4: not a journal line"):
        Journal.open(path, HEADER)


def test_a_full_disk_is_one_clear_error_and_keeps_the_answers_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j.jsonl"
    real_write = os.write
    with Journal.open(path, HEADER) as journal:
        journal.complete(EchoLM(), REQUESTS[:3], SAMPLING)

        def full(fd: int, data: bytes) -> int:
            if len(data) > 50:
                return real_write(fd, data[:50])  # the disk takes a first part, then no more
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(journal_module.os, "write", lambda fd, data: full(fd, bytes(data)))
            with pytest.raises(OSError, match=r"disk is full; 3 answers are safe") as error:
                journal.complete(EchoLM(), REQUESTS, SAMPLING)
        assert error.value.errno == 28
        assert "\n" not in str(error.value)
    lm = EchoLM()
    with Journal.open(path, HEADER) as journal:
        journal.complete(lm, REQUESTS, SAMPLING)
    assert {"r0", "r1", "r2"}.isdisjoint(id for chunk in lm.chunks for id in chunk)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_real_full_device_gives_the_same_error(tmp_path: Path) -> None:
    fd = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OSError, match="disk is full"):
        journal_module._append(fd, tmp_path / "j.jsonl", [{"a": 1}], num_safe=0)
    os.close(fd)


def test_text_of_any_kind_survives_a_round_trip(tmp_path: Path) -> None:
    text = 'tab\t newline\n quote" \u2028 \x85 \x00 \u00e9 \U0001f600 lone \ud800 end'

    class OneAnswer(EchoLM):
        def complete(
            self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
        ) -> list[Completion]:
            return [Completion(r.id, text, "length", 1, 1) for r in requests]

    with Journal.open(tmp_path / "j.jsonl", {}) as journal:
        first = journal.complete(OneAnswer(), REQUESTS[:1], SAMPLING)
    with Journal.open(tmp_path / "j.jsonl", {}) as journal:
        again = journal.complete(EchoLM(), REQUESTS[:1], SAMPLING)
    assert first == again
    assert first[0].text == text.replace("\ud800", "?")
    assert read_journal(tmp_path / "j.jsonl")[1] == first


def test_progress_counts_stored_and_new_answers(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.jsonl", {}) as journal:
        journal.complete(EchoLM(), REQUESTS[:4], SAMPLING)
        steps: list[int] = []
        journal.complete(EchoLM(), REQUESTS, SAMPLING, progress=lambda answers: steps.append(len(answers)))
    assert steps == [3, 1, 2, 1]  # chunks of 3; of the second, one answer was stored


def test_progress_counts_the_answers_before_a_failure_too(tmp_path: Path) -> None:
    class Stopped(EchoLM):
        def complete(self, requests, sampling, on_answer=None):  # type: ignore[no-untyped-def]
            on_answer(super().complete(requests[:1], sampling))
            raise ValueError("no more")

    told: list[int] = []
    with Journal.open(tmp_path / "j.jsonl", HEADER) as journal, pytest.raises(ValueError, match="no more"):
        journal.complete(Stopped(2), REQUESTS, SAMPLING, lambda answers: told.append(len(answers)))
    assert told == [1]


def test_a_row_holds_the_hash_of_the_prompt_not_the_prompt(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.jsonl", {}) as journal:
        journal.complete(EchoLM(), [Request("a", "abc")], SAMPLING)
    assert json.loads((tmp_path / "j.jsonl").read_text().splitlines()[1]) == {
        "id": "a",
        # sha256 of "abc", FIPS 180-2 appendix B.1
        "prompt_sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "text": "abc!",
        "finish_reason": "stop",
        "prompt_tokens": 2,
        "completion_tokens": 3,
    }


def test_a_line_that_is_no_utf_8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with Journal.open(path, HEADER) as journal:
        journal.complete(EchoLM(), REQUESTS[:3], SAMPLING)
    lines = path.read_bytes().split(b"\n")
    lines[2] = lines[2].replace(b"prompt", b"pr\xffmpt", 1)
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(ValueError, match=r"j\.jsonl:3: not a journal line \(UnicodeDecodeError"):
        Journal.open(path, HEADER)


ROW = {
    "id": "r9",
    "prompt_sha256": "0",
    "text": "",
    "finish_reason": "stop",
    "prompt_tokens": 1,
    "completion_tokens": 1,
}


@pytest.mark.parametrize(
    "line",
    [
        '{"id": "r9", "text": "of another tool"}', '["a", "list"]', "7", "", "Sunday.",
        *(json.dumps(ROW | wrong) for wrong in (
            {"id": ["r9"]}, {"text": None}, {"prompt_tokens": "1"}, {"completion_tokens": None}, {"finish_reason": []},
        )),
    ],
)  # fmt: skip
def test_a_foreign_line_is_named_and_never_becomes_an_answer(tmp_path: Path, line: str) -> None:
    path = tmp_path / "j.jsonl"
    with Journal.open(path, HEADER) as journal:
        journal.complete(EchoLM(), REQUESTS[:3], SAMPLING)
    whole = path.read_bytes()
    path.write_bytes(whole + line.encode() + b"\n")
    with pytest.raises(ValueError, match=r"j\.jsonl:5: not a journal line .*; delete this line"):
        Journal.open(path, HEADER)
    path.write_bytes(whole)
    with Journal.open(path, HEADER) as journal:
        assert journal.find(REQUESTS[1]) == journal["r1"]
        assert journal.find(REQUESTS[5]) is None
        assert [c.request_id for c in journal.completions()] == ["r0", "r1", "r2"]


def test_a_stored_answer_is_found_by_its_prompt_too(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j.jsonl", HEADER) as journal:
        journal.complete(EchoLM(), REQUESTS[:1], SAMPLING)
        with pytest.raises(ValueError, match="'r0' belongs to another prompt"):
            journal.find(Request("r0", "changed", 0))
