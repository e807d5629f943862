"""The command line: help, names of verbs, keys and configs, and how a command ends."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from selfinstruct_train import cli
from selfinstruct_train.commands import GROUPS, NAMES, load_verb
from selfinstruct_train.config import Config
from selfinstruct_train.config.load import load_config
from selfinstruct_train.core.records import BudgetReachedError
from tests.support.cli import run_cli
from tests.support.paths import ROOT, run_configs

SECTIONS = [name for name in Config.__dataclass_fields__ if name not in ("run_dir", "seed")]


def test_the_overview_has_a_line_for_every_verb_in_its_group():
    done = run_cli("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert run_cli().stdout == done.stdout
    assert len(NAMES) == len(set(NAMES)) == 27
    files = {path.stem for path in (ROOT / "selfinstruct_train/commands").glob("*.py")}
    assert files - set(NAMES) == {"__init__", "verb", "sections", "experiments"}
    assert set(NAMES) <= files
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 120
    for title, names in GROUPS.items():
        start = lines.index(f"{title}:") + 1
        assert [line.split()[0] for line in lines[start : start + len(names)]] == list(names)


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_a_verb_is_a_sentence_an_example_and_only_what_it_reads(name):
    verb = load_verb(name)
    done = run_cli(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"usage: selfinstruct {name}")
    assert lines[2] == verb.summary and verb.summary.endswith(".") and ". " not in verb.summary
    assert lines[4].startswith(f"example: selfinstruct {name}")
    shown = {line.split()[0].removeprefix("--") for line in lines if line.startswith("  --")}
    known = {word.lstrip("-") for word in verb.options if word.startswith("-")}
    settings = shown - known - {"config", "print_config"}
    assert known <= shown
    assert bool(settings) == bool(verb.sections)
    assert len(lines) < 450
    for key in settings:  # each belongs to a section that the verb reads
        assert any(key == section or key.startswith(f"{section}.") for section in verb.sections), key
    for section in verb.sections:  # and none that it reads is missing
        assert any(key == section or key.startswith(f"{section}.") for key in settings), section


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_verb_is_a_command_that_is_read(name):
    import shlex

    program, verb_name, *words = shlex.split(load_verb(name).example)
    assert (program, verb_name) == ("selfinstruct", name)
    if words and words[0] == "my_run":
        words[0] = "gpu"
    call = cli.read_call(name, load_verb(name), words)
    if load_verb(name).sections:
        assert call.config == load_config([*call.config_words])


def test_every_section_is_read_by_some_verb_and_every_verb_accepts_all():
    read = {section.split(".")[0] for name in NAMES for section in load_verb(name).sections}
    assert read == {*SECTIONS, "run_dir", "seed"}
    call = cli.read_call("export", load_verb("export"), ["tiny", "--judge.chat", "false", "--train.lora.r=4"])
    assert (call.config.judge.chat, call.config.train.lora.r, call.config.run_dir) == (False, 4, "runs/tiny")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["tran", "tiny"], "error: 'tran' is no command; did you mean 'train'?"),
        (["xyzzy"], "error: 'xyzzy' is no command; selfinstruct --help lists them"),
        (["train", "tiny", "--train.methd", "lora"], "unknown key 'train.methd'; did you mean 'train.method'?"),
        (["verify", "tiny", "--forc"], "unknown key 'forc'; did you mean 'force'?"),
        (["merge", "a", "--ot", "b"], "unknown key 'ot'; did you mean 'out'?"),
        (["merge", "a", "--run_dir", "b"], "unknown key 'run_dir'; see --help"),
        (["train", "tny"], "error: no config is named 'tny'; did you mean 'tiny'? Available configs: "),
        (
            ["train", "configs/tny.yaml"],
            "configs/tny.yaml: cannot read this config: no such file; did you mean configs/tiny",
        ),
        (["train", "--config", "nowhere.yaml"], "nowhere.yaml: cannot read this config: No such file or directory"),
        (
            ["train", "--train.method", "lora", "tiny"],
            "'tiny' belongs to no option; a config comes first: selfinstruct",
        ),
        (["train", "tiny", "gpu"], "'gpu' belongs to no option"),
        (["train", "tiny", "--seed", "many"], "error: seed: expected a value of type int, got many"),
        (["merge", "a", "--out", "b", "--threshold", "x"], "threshold: expected a value of type float, got x"),
        (["merge"], "error: merge needs arguments; example: selfinstruct merge"),
        (["merge", "a"], "error: the following arguments are required: out"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_nearest(words, line):
    assert line in run_cli(*words).error()


CONFIGURED = [name for name in NAMES if load_verb(name).sections]


@pytest.mark.parametrize("name", CONFIGURED)
def test_a_bare_verb_says_what_to_give_and_touches_nothing(name, tmp_path):
    line = run_cli(name, cwd=tmp_path).error()
    assert line.startswith(f"error: {name} needs a config: selfinstruct {name} NAME") and "tiny" in line
    assert list(tmp_path.iterdir()) == []
    assert len(CONFIGURED) == 21


@pytest.mark.parametrize(
    "words",
    [
        ["--config", "tiny.yaml", "--seed", "3"],
        ["--config=tiny.yaml", "--seed", "3"],
        ["--seed", "3", "--config", "tiny.yaml"],
        ["--seed", "3", "--config=tiny.yaml"],
    ],
)
def test_the_words_for_another_process_begin_with_the_config_wherever_it_was_given(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("tiny.yaml").write_text("run_dir: runs/x\n")
    call = cli.read_call("verify", load_verb("verify"), [*words, "--force"])
    assert call.config_words == ("--config", "tiny.yaml", "--seed", "3")
    assert (call.config.seed, call.options) == (3, {"force": True})


def test_a_verb_promises_to_go_on_only_where_the_same_command_does():
    going_on = {name for name in NAMES if "goes on" in load_verb(name).when_stopped}
    assert going_on == {"generate", "train", "eval", "run", "scale", "distill", "baselines", "judge", "annotate"} | {
        "relabel", "quality", "probe", "publish", "data"
    }  # fmt: skip
    assert load_verb("describe").when_stopped == "stopped"


def test_a_config_without_a_run_directory_is_refused(tmp_path):
    (tmp_path / "my.yaml").write_text("seed: 1\n")
    line = run_cli("describe", "my.yaml", cwd=tmp_path).error()
    assert "sets no run_dir" in line
    assert "no dataset there" in run_cli("describe", "my.yaml", "--run_dir", "absent", cwd=tmp_path).error()
    assert "no dataset there" in run_cli("export", "--run_dir", "absent", cwd=tmp_path).error()


def test_mistakes_and_help_answer_at_once_because_nothing_heavy_is_imported(tmp_path):
    """In new processes; half a second of CPU time is promised on a quiet core, two leave room for a busy one."""
    code = (
        "import sys\nfrom selfinstruct_train.cli import main\ncode = main(sys.argv[1:])\n"
        "heavy = {'torch', 'transformers', 'datasets', 'trl', 'peft', 'matplotlib', 'numpy', 'accelerate'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "light = 'jsonargparse' not in sys.modules\nprint('light' if light else 'parser')\n"
    )
    for words, state in [
        (["--help"], "light"),
        (["train", "--help"], "parser"),
        (["generate", "--help"], "parser"),
        (["tran"], "light"),
        (["train", "tny"], "light"),
        (["train", "tiny", "--sed", "5"], "light"),
        (["train", "absent.yaml"], "light"),
        (["train"], "light"),
    ]:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == state, words
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2, words


def test_the_command_is_a_program_and_a_module(tmp_path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    program = str(Path(sys.executable).with_name("selfinstruct"))
    for command in ([program], [sys.executable, "-m", "selfinstruct_train"]):
        done = subprocess.run([*command, "train", "tny"], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (2, "") and "did you mean 'tiny'" in done.stderr


def test_a_reader_that_has_seen_enough_of_a_help_is_no_error():
    process = subprocess.Popen(
        [sys.executable, "-m", "selfinstruct_train", "run", "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")


def test_configs_lists_this_folders_first_and_then_the_packages(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/mine.yaml").write_text("# selfinstruct run mine\n# My own run.\nrun_dir: runs/mine\n")
    (tmp_path / "configs/tiny.yaml").write_text("run_dir: runs/other\n")
    *lines, last = run_cli("configs", cwd=tmp_path).stdout.splitlines()
    assert (Path(last.removeprefix("launch files for accelerate: ")) / "ddp.yaml").is_file()
    names = [line.split()[0] for line in lines]
    assert names[:2] == ["mine", "tiny"] and "gpu" in names and names.count("tiny") == 1
    assert lines[0].split(maxsplit=2)[1:] == ["configs/mine.yaml", "My own run."]
    assert len(names) == 1 + len(list((ROOT / "configs").glob("*.yaml")))
    call = run_cli("train", "tiny", "--print_config", cwd=tmp_path)  # ./configs hides the package's
    assert call.returncode == 0 and "run_dir: runs/other" in call.stdout.splitlines()


@pytest.mark.parametrize(
    ("model", "template"),
    [
        ("builtin:tiny", "tiny"),
        ("Qwen/Qwen3-8B-Base", "qwen3_8b_lora"),
        ("Qwen/Qwen3-0.6B", "qwen3_0.6b"),
        ("HuggingFaceTB/SmolLM2-135M", "smollm2_135m"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama3.1_8b_lora"),
        ("models/my-own", "gpu"),
    ],
)
def test_init_writes_a_config_from_the_nearest_template_that_is_read_back(tmp_path, monkeypatch, model, template):
    carried = tmp_path / "carried"  # a config of one's own in the checkout could be nearer
    carried.mkdir()
    for path in run_configs():
        shutil.copy(path, carried)
    monkeypatch.setattr("selfinstruct_train.config.template.package_folder", lambda: carried)
    done = run_cli("init", "my_run", "--model", model, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "configs/my_run.yaml" in done.stdout and template in done.stdout and "selfinstruct run my_run" in done.stdout
    file = tmp_path / "configs/my_run.yaml"
    text = file.read_text()
    assert text.startswith("# selfinstruct run my_run\n") and len(text.splitlines()) < 40 and " # " in text
    config, origin = (
        load_config(["--config", str(file)]),
        load_config(["--config", str(ROOT / f"configs/{template}.yaml")]),
    )
    assert (config.run_dir, config.model.path) == ("runs/my_run", model)
    assert (config.generate, config.train, config.eval) == (origin.generate, origin.train, origin.eval)
    assert "is there already" in run_cli("init", "my_run", "--model", model, cwd=tmp_path).error()
    assert file.read_text() == text
    assert "needs" not in run_cli("export", "my_run", cwd=tmp_path).error()  # found by its name


def test_init_refuses_what_cannot_be_a_name_or_a_model(tmp_path):
    assert "cannot be the name of a run" in run_cli("init", "../x", "--model", "a/b", cwd=tmp_path).error()
    assert "is no Hub id" in run_cli("init", "x", "--model", "a b", cwd=tmp_path).error()
    assert list(tmp_path.iterdir()) == []


def test_run_stops_at_the_step_that_fails_with_its_line_and_its_code(tmp_path):
    command = [sys.executable, "-m", "selfinstruct_train", "run", "tiny", "--run_dir", str(tmp_path / "run")]
    command += ["--generate.seed_tasks", "absent.jsonl"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith("error: absent.jsonl: no such seed file")
    assert done.stderr.count("error: ") == 1
    assert "run starts a process for each step" in run_cli("run", "tiny", env={"WORLD_SIZE": "2"}).error()


def test_run_cli_leaves_no_trace_in_this_process(tmp_path, monkeypatch):
    import logging

    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    before = (sys.argv, Path.cwd(), dict(os.environ), list(logging.root.handlers))
    level = logging.getLogger("selfinstruct_train").level
    done = run_cli("generate", "tiny", "--generate.seed_tasks", "absent.jsonl", cwd=tmp_path, env={"RANK": "0"})
    assert "generate.seed_tasks: absent.jsonl" in done.stderr.splitlines()  # the settings, logged as a process does
    assert (sys.argv, Path.cwd(), dict(os.environ), list(logging.root.handlers)) == before
    assert logging.getLogger("selfinstruct_train").level == level


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
    assert cli.exit_code_of(failing(error), "stopped; go on") == code
    assert capsys.readouterr().err == line


def test_a_command_that_is_done_exits_with_0_and_says_nothing_more(capsys):
    assert cli.exit_code_of(lambda: print("done")) == 0
    assert capsys.readouterr() == ("done\n", "")


def test_of_several_processes_only_the_first_speaks(capsys, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert cli.exit_code_of(failing(ValueError("broken"))) == 2
    assert capsys.readouterr().err == ""


def test_an_error_of_ours_keeps_its_traceback():
    with pytest.raises(AssertionError):
        cli.exit_code_of(failing(AssertionError("a bug")))
