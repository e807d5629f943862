"""A command in a process of its own: how it ends is passed on; and a finished training is known again."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from selfinstruct_train.train import subprocesses
from selfinstruct_train.train.plan import make_plan
from selfinstruct_train.train.subprocesses import find_finished, run_to_end, split_launcher


def ends_with(code: int) -> list[str]:
    return [sys.executable, "-c", f"raise SystemExit({code})"]


def test_a_command_that_ends_well_is_silent():
    run_to_end(ends_with(0), "the training of 'a'")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (ends_with(1), "the training of 'a' ended with exit code 1; the lines above say why"),
        ([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], "the training of 'a' ended by signal 9"),
        (["/absent/launcher"], "'/absent/launcher' cannot be started .No such file or directory.; correct --launch"),
    ],
)
def test_a_failure_is_one_line(command, message):
    with pytest.raises(ValueError, match=message):
        run_to_end(command, "the training of 'a'")


@pytest.mark.parametrize("code", [2, 3, 130])
def test_a_command_has_told_its_end_so_only_the_exit_code_is_passed_on(code):
    with pytest.raises(SystemExit) as ended:
        run_to_end(ends_with(code), "the evaluation")
    assert ended.value.code == code


@pytest.mark.parametrize(("patience", "interrupts"), [(0.1, 1), (60, 2)])
def test_who_interrupts_the_first_process_ends_the_command_too(tmp_path, patience, interrupts):
    """SIGINT to the outer process alone, late or when given twice, reaches the inner one, which ends itself."""
    ended = tmp_path / "ended"
    inner = f"""
        import pathlib, signal, sys, time
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
        print("begun", flush=True)
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            time.sleep(0.3)
            pathlib.Path({str(ended)!r}).touch()
            print("stopped by itself", file=sys.stderr)
            raise SystemExit(130)
    """
    outer = f"""
        import signal, sys
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from selfinstruct_train.cli import exit_code_of
        from selfinstruct_train.train import subprocesses
        subprocesses.PATIENCE_SECONDS = {patience}
        command = [sys.executable, "-c", {textwrap.dedent(inner)!r}]
        sys.exit(exit_code_of(lambda: subprocesses.run_to_end(command, "x"), "stopped"))
    """
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(outer)], start_new_session=True, **pipes)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    for _ in range(interrupts):
        time.sleep(0.6)  # Popen takes two within a quarter of a second for one
        os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors, ended.exists()) == (130, "stopped by itself\n", True)


def test_who_terminates_the_first_process_terminates_the_command_too():
    inner = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    outer = f"""
        import sys
        from selfinstruct_train.cli import exit_code_of
        from selfinstruct_train.train.subprocesses import run_to_end
        sys.exit(exit_code_of(lambda: run_to_end([sys.executable, "-c", {inner!r}], "the training of 'a'")))
    """
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(outer)], start_new_session=True, **pipes)
    assert process.stdout is not None
    command = int(process.stdout.readline())
    process.terminate()
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, "error: the training of 'a' ended by signal 15" in errors) == (2, True)
    with pytest.raises(ProcessLookupError):
        os.kill(command, 0)


def test_a_model_is_finished_when_it_is_of_this_plan_and_verified(make_config, tmp_path, monkeypatch):
    plan = make_plan(make_config(), "seeds+generated")
    other = tmp_path / "elsewhere"
    verified: list[Path] = []
    monkeypatch.setattr(subprocesses, "is_verified", lambda folder: folder in verified)

    def write(folder: Path, identity: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "training.json").write_text(json.dumps({"identity": identity}))

    assert find_finished(plan, [other]) is None
    write(other, plan.identity)
    assert find_finished(plan, [other]) is None  # trained, not proven
    verified.append(other)
    assert find_finished(plan, [other]) == other
    write(other, {**plan.identity, "seed": 1})
    assert find_finished(plan, [other]) is None  # of other settings
    write(plan.folder, plan.identity)
    verified.append(plan.folder)
    assert find_finished(plan, [other]) == plan.folder
    assert find_finished(replace(plan, identity={**plan.identity, "rows": 3})) is None


def test_a_launcher_is_cut_as_a_shell_does_and_a_broken_one_is_one_line():
    assert split_launcher("'/my tools/launch' --nproc 2") == ["/my tools/launch", "--nproc", "2"]
    with pytest.raises(ValueError, match=r"^--launch \"'/my tools\": No closing quotation; quote it as for a shell$"):
        split_launcher("'/my tools")
    with pytest.raises(ValueError, match="^--launch is empty"):
        split_launcher(" ")
