"""How a command ends: one line on stderr and an exit code."""

import pytest

from selfinstruct_train.cli import exit_code_of
from selfinstruct_train.core.records import BudgetReachedError


def failing(error: BaseException):
    def main() -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ValueError("seed is 'x';\n  give a number"), 2, "error: seed is 'x'; give a number\n"),
        (OSError("disk full"), 2, "error: disk full\n"),
        (
            BudgetReachedError("90 of 100 tokens are spent", "budget.max_tokens", "3 of 9 done"),
            3,
            "stopped: 90 of 100 tokens are spent; 3 of 9 done; every answer is kept: raise budget.max_tokens and give "
            "the same command to go on\n",
        ),
        (KeyboardInterrupt(), 130, "stopped; go on\n"),
    ],
)
def test_what_a_user_can_mend_is_one_line_and_an_exit_code(capsys, error, code, line):
    assert exit_code_of(failing(error), "stopped; go on") == code
    assert capsys.readouterr().err == line


def test_a_command_that_is_done_exits_with_0_and_says_nothing_more(capsys):
    assert exit_code_of(lambda: print("done")) == 0
    assert capsys.readouterr() == ("done\n", "")


def test_of_several_processes_only_the_first_speaks(capsys, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert exit_code_of(failing(ValueError("broken"))) == 2
    assert capsys.readouterr().err == ""


def test_an_error_of_ours_keeps_its_traceback():
    with pytest.raises(AssertionError):
        exit_code_of(failing(AssertionError("a bug")))
