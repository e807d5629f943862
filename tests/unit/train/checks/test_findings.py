"""Findings: what is accepted, what refuses, and the table that people read."""

import pytest

from selfinstruct_train.train.checks.findings import Finding, accept, check_allowed, findings_table, refuse, to_json

GOOD = Finding("eos", "ok", "every row ends")
FEW = Finding("duplicates", "warning", "rows stand twice", 4, 2000, "row 7", "take the copies out")
BAD = Finding("memory", "error", "90 GiB of 80 GiB", remedy="take a smaller model")


def test_an_unknown_name_is_refused_with_the_nearest_known_one():
    check_allowed(["eos", "stops"])
    with pytest.raises(ValueError, match="train.allow names 'memroy', which is no check; did you mean 'memory'"):
        check_allowed(["memroy"])
    with pytest.raises(ValueError, match=r"names 'xyz', which is no check; known: eos, .*, time, .*, stops, "):
        check_allowed(["xyz"])


def test_errors_refuse_in_one_line_with_the_remedy_and_warnings_do_not():
    refuse([GOOD, FEW])
    other = Finding("eos", "error", "no end", 2, 8, remedy="set eos_token")
    with pytest.raises(ValueError) as refused:
        refuse([GOOD, FEW, BAD, other])
    assert str(refused.value) == (
        "the doctor refuses this training: memory: 90 GiB of 80 GiB: take a smaller model; eos: no end: 2 of 8 rows "
        "(25 %): set eos_token (a name in train.allow accepts that check's error)"
    )


def test_an_accepted_error_becomes_a_warning_that_says_so():
    accepted = accept([GOOD, BAD], ["memory", "eos"])
    assert accepted[0] == GOOD
    assert (accepted[1].level, accepted[1].what) == ("warning", "90 GiB of 80 GiB (accepted by train.allow)")
    refuse(accepted)


def test_the_table_puts_errors_last_and_wraps_under_its_column():
    long = Finding("time", "ok", "word " * 30)
    lines = findings_table([BAD, FEW, long, GOOD]).splitlines()
    assert [line[:21].split() for line in lines if line[:1] != " "] == [
        ["time", "ok"],
        ["eos", "ok"],
        ["duplicates", "warning"],
        ["memory", "error"],
    ]
    assert lines[1].startswith(" " * 21 + "word")
    assert all(len(line) <= 118 for line in lines)
    assert lines[3:6] == [
        "duplicates  warning  rows stand twice: 4 of 2,000 rows (0.2 %)",
        "                     for example: row 7",
        "                     remedy: take the copies out",
    ]
    assert lines[-1] == "                     remedy: take a smaller model"


def test_findings_are_json_values():
    assert to_json([FEW]) == [
        {
            "check": "duplicates",
            "level": "warning",
            "what": "rows stand twice",
            "count": 4,
            "total": 2000,
            "example": "row 7",
            "remedy": "take the copies out",
        }
    ]
