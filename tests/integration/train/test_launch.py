"""What a launch asks for, read as accelerate reads it, and the refusal where something else would run."""

import importlib.util
import os
import subprocess
import sys

import pytest
import yaml

from selfinstruct_train.train import launch
from selfinstruct_train.train.launch import Launch, asked_launch, check_launch
from tests.support.paths import ROOT, accelerate_files

FILES = ROOT / "configs" / "accelerate"
WORKER = "tests/support/launch_worker.py"
ACCELERATE = [sys.executable, "-m", "accelerate.commands.launch", "--quiet"]


@pytest.fixture(autouse=True)
def no_launch(monkeypatch):
    """No variable of a launch, whatever started these tests."""
    for name in (*launch._COUNTS, "ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED", "ACCELERATE_USE_CPU"):
        monkeypatch.delenv(name, raising=False)


def asked(*words: str) -> Launch:
    """As a script and as a module, which must be read alike."""
    script = ["recipes/train.py", "--config", "configs/tiny.yaml"]
    module = ["-m", "selfinstruct_train", "train", "tiny"]
    of_script, of_module = (launch._asked_of_accelerate([*words, *program], ROOT) for program in (script, module))
    assert of_script == of_module
    return of_script


def test_every_accelerate_file_is_read_by_accelerate_and_says_how_to_use_it():
    from accelerate.commands.config.config_args import load_config_from_file

    types = {}
    for file in accelerate_files():
        settings = load_config_from_file(str(file))
        types[file.stem] = (settings.distributed_type.value, settings.num_machines, settings.use_cpu)
        assert settings.mixed_precision == "no", f"{file.name}: train.precision decides"
        head = file.read_text().splitlines()
        assert head[0].startswith("# ")
        commands = [
            line for line in head[:6] if f"accelerate launch --config_file configs/accelerate/{file.name}" in line
        ]
        assert commands
    assert types == {
        "cpu": ("MULTI_GPU", 1, True),
        "ddp": ("MULTI_GPU", 1, False),
        "fsdp2": ("FSDP", 1, False),
        "one_process": ("NO", 1, False),
        "several_nodes": ("MULTI_GPU", 2, False),
        "zero2": ("DEEPSPEED", 1, False),
        "zero3": ("DEEPSPEED", 1, False),
    }


def test_every_key_of_the_fsdp2_and_deepspeed_files_is_a_word_that_accelerate_launch_knows():
    from accelerate.commands.launch import launch_command_parser

    known = set(vars(launch_command_parser().parse_args(["script.py"])))
    sections = {
        file.stem: settings.get("fsdp_config") or settings.get("deepspeed_config")
        for file in accelerate_files()
        if (settings := yaml.safe_load(file.read_text())).keys() & {"fsdp_config", "deepspeed_config"}
    }
    assert set(sections) == {"fsdp2", "zero2", "zero3"}
    for name, section in sections.items():
        assert set(section) <= known, name
    assert sections["fsdp2"]["fsdp_activation_checkpointing"] is False
    assert "fsdp_transformer_layer_cls_to_wrap" not in sections["fsdp2"]
    assert sections["zero3"]["zero3_save_16bit_model"] is True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--config_file", "configs/accelerate/one_process.yaml"], "1 process"),
        (["--config_file", "configs/accelerate/ddp.yaml", "--num_processes", "8"], "8 processes on GPUs"),
        (["--config_file", "configs/accelerate/fsdp2.yaml", "--num_processes", "4"], "4 processes under FSDP2 on GPUs"),
        (["--config_file", "configs/accelerate/zero3.yaml"], "2 processes under DeepSpeed on GPUs"),
        (["--config_file", "configs/accelerate/several_nodes.yaml", "--machine_rank", "1"], "16 processes on GPUs"),
        (["--config_file=configs/accelerate/cpu.yaml", "--num_processes=3"], "3 processes on CPUs"),
        (["--config_file", "configs/accelerate/ddp.yaml", "--use_fsdp"], "2 processes under FSDP1 on GPUs"),
        (["--use_fsdp", "--fsdp_version", "2", "--num_processes", "2"], "2 processes under FSDP2 on GPUs"),
        (["--use_deepspeed", "--num_processes", "2"], "2 processes under DeepSpeed on GPUs"),
        (["--cpu", "--num_processes", "2"], "2 processes on CPUs"),
        (["--multi_gpu", "--num_processes", "2"], "2 processes on GPUs"),
    ],
)
def test_words_and_file_are_read_as_accelerate_reads_them(words, said, monkeypatch, tmp_path):
    monkeypatch.setattr("accelerate.commands.config.config_args.default_config_file", str(tmp_path / "none.yaml"))
    assert str(asked(*words)) == said


def test_the_default_file_of_the_user_counts_where_no_other_is_named(monkeypatch, tmp_path):
    file = tmp_path / "default_config.yaml"
    file.write_text((FILES / "fsdp2.yaml").read_text())
    monkeypatch.setattr("accelerate.commands.config.config_args.default_config_file", str(file))
    assert str(asked()) == "2 processes under FSDP2 on GPUs"
    assert str(asked("--cpu", "--num_processes", "1")) == "1 process on CPUs"


def test_the_zero_stage_is_read_off_the_file():
    assert asked("--config_file", "configs/accelerate/zero2.yaml").zero_stage == 2
    assert asked("--config_file", "configs/accelerate/zero3.yaml").zero_stage == 3


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["/venv/bin/python", "/venv/bin/accelerate", "launch", "--cpu", "train.py"], ["--cpu", "train.py"]),
        (["/venv/bin/python", "/venv/bin/accelerate-launch", "train.py"], ["train.py"]),
        (["python", "/venv/bin/accelerate", "launch", "-m", "a", "train"], ["-m", "a", "train"]),
        (["python", "-m", "selfinstruct_train", "train", "tiny"], None),
        (["python", "-m", "accelerate.commands.launch", "train.py"], ["train.py"]),
        (["python", "/venv/bin/accelerate", "config"], None),
        (["bash", "-c", "accelerate launch train.py"], None),
        (["python", "-m", "torch.distributed.run", "train.py"], None),
    ],
)
def test_the_command_of_accelerate_is_known_in_its_spellings(command, words):
    assert launch._launch_words(command) == words


def test_alone_one_process_is_asked_and_runs():
    assert asked_launch() == Launch("python", "NO", 1, fsdp_version=1)
    assert check_launch(on_gpu=False) == "1 process on cpu (distributed type NO)"


def test_processes_of_srun_that_would_each_train_alone_are_refused(monkeypatch):
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    with pytest.raises(ValueError, match="the environment asks for 4 processes, but what runs is 1 process on cpu"):
        check_launch(on_gpu=False)


@pytest.mark.parametrize(
    ("asked", "runs", "remedy"),
    [
        (Launch("x", "MULTI_GPU", 8, "gpu"), ("MULTI_GPU", 8, True), ""),
        (Launch("x", "FSDP", 8, "gpu"), ("MULTI_GPU", 8, True), ""),
        (Launch("x", "DEEPSPEED", 8, "gpu"), ("DEEPSPEED", 8, True), ""),
        (Launch("x", "MULTI_GPU", 2, "cpu"), ("MULTI_CPU", 2, False), ""),
        (Launch("x", "several", 2), ("MULTI_CPU", 2, False), ""),
        (Launch("x", "NO", 1), ("NO", 1, True), ""),
        (Launch("x", "MULTI_GPU", 8, "gpu"), ("MULTI_GPU", 4, True), "ddp.yaml --num_processes N"),
        (Launch("x", "MULTI_GPU", 2, "cpu"), ("MULTI_GPU", 2, True), "set model.device to cpu"),
        (Launch("x", "MULTI_GPU", 2, "gpu"), ("MULTI_CPU", 2, False), "no GPU is visible"),
        (Launch("x", "FSDP", 2, "gpu"), ("MULTI_CPU", 2, False), "nothing but DDP"),
        (Launch("x", "FSDP", 2, "gpu", fsdp_version=1), ("MULTI_GPU", 2, True), "only version 2"),
        (Launch("x", "FSDP", 1), ("NO", 1, True), "fsdp2.yaml"),
        (Launch("x", "DEEPSPEED", 2, "gpu"), ("MULTI_GPU", 2, True), "zero2.yaml"),
        (Launch("x", "MEGATRON_LM", 2, "gpu"), ("MEGATRON_LM", 2, True), "not supported"),
    ],
)
def test_a_difference_is_one_line_with_the_remedy(asked, runs, remedy):
    found = launch._difference(asked, "what runs", *runs)
    assert (found == "") == (remedy == "")
    assert remedy in found
    assert "\n" not in found


def started(*command: str, **environment: str) -> subprocess.CompletedProcess:
    variables = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""} | environment
    variables["PYTHONPATH"] = str(ROOT)
    return subprocess.run([*command], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=200)


def test_the_cpu_file_really_starts_several_processes():
    done = started(*ACCELERATE, "--config_file", "configs/accelerate/cpu.yaml", WORKER)
    assert done.returncode == 0, done.stderr
    # Counted, for lines of two processes may run together.
    assert done.stdout.count("runs: 2 processes on cpu (distributed type MULTI_CPU); ") == 2
    assert done.stdout.count("asks for 2 processes on CPUs") == 2
    assert done.stdout.count("waits: 3:00:00") == 2  # not torch's 10 or 30 minutes


@pytest.mark.parametrize(
    "program", [["recipes/train.py", "--config", "configs/tiny.yaml"], ["-m", "selfinstruct_train", "train", "tiny"]]
)
def test_the_command_is_launched_as_a_script_and_as_a_module(program, tmp_path):
    file = "configs/accelerate/cpu.yaml"
    done = started(*ACCELERATE, "--config_file", file, *program, "--run_dir", str(tmp_path / "absent"))
    lines = done.stderr.splitlines()
    assert lines.count("training runs as 2 processes on cpu (distributed type MULTI_CPU)") == 1
    assert [line for line in lines if line.startswith("error: ")] == [  # one speaks
        f"error: {tmp_path}/absent/dataset: no dataset there; run `selfinstruct generate` first, or set train.dataset"
    ]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--cpu", "--num_processes", "2"], "asks for 2 processes on CPUs, but what runs is 1 process on cpu"),
        (["--config_file", "MULTI_CPU"], "asks for 2 processes on CPUs, but what runs is 1 process on cpu"),
        (
            ["--config_file", "configs/accelerate/fsdp2.yaml"],
            "asks for 2 processes under FSDP2 on GPUs, but what runs is 2 processes on cpu (distributed",
        ),
        (
            ["--config_file", "configs/accelerate/ddp.yaml"],
            "asks for 2 processes on GPUs, but what runs is 2 processes on cpu (distributed type MULTI_CPU)",
        ),
    ],
)
def test_a_launch_that_accelerate_would_turn_into_another_is_refused(words, line, tmp_path):
    file = tmp_path / "multi_cpu.yaml"
    file.write_text(
        "compute_environment: LOCAL_MACHINE\ndistributed_type: MULTI_CPU\nnum_processes: 2\nuse_cpu: true\n"
    )
    done = started(*ACCELERATE, *(str(file) if word == "MULTI_CPU" else word for word in words), WORKER)
    assert done.returncode != 0
    errors = [found for found in done.stderr.splitlines() if found.startswith("error: ")]
    assert len(errors) == 1
    assert line in errors[0]
    assert "configs/accelerate/cpu.yaml" in errors[0]


@pytest.mark.parametrize("stage", [2, 3])
def test_deepspeed_on_a_cpu_is_refused_by_accelerate_where_it_is_not_installed_and_else_by_us(stage):
    done = started(*ACCELERATE, "--config_file", f"configs/accelerate/zero{stage}.yaml", WORKER)
    assert done.returncode != 0
    if importlib.util.find_spec("deepspeed") is None:
        assert "DeepSpeed is not installed" in done.stderr
    else:
        assert "asks for 2 processes under DeepSpeed on GPUs, but what runs is 2 processes on cpu" in done.stderr


def test_a_launch_asked_by_variables_alone_is_refused_too():
    done = started(sys.executable, WORKER, ACCELERATE_USE_FSDP="true", FSDP_VERSION="2")
    assert done.returncode == 2
    assert "the environment asks for 1 process under FSDP2, but what runs is 1 process on cpu" in done.stderr
