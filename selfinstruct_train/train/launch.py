"""Compare the requested launch with the actual one, and refuse training where they differ.

accelerate silently replaces some launches: on a CPU, FSDP and DeepSpeed become plain DDP, and `--cpu` or a MULTI_CPU
file starts one process. The request is read from the parent `accelerate launch` (its arguments and its config file) and
the environment; the actual launch from accelerate's state and the prepared model. Nothing is launched here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from accelerate import PartialState
    from torch import nn
    from transformers import Trainer

FILES = "configs/accelerate"
_COUNTS = ("WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
"""The variables in which torchrun, three kinds of MPI, and srun store the number of processes."""

WAIT = timedelta(hours=3)
"""How long a process waits for another. NCCL's 10 minutes are too short while the first process examines all rows or
writes a checkpoint of 100 GB to a shared disk. If one fails, the launcher still ends the others at once."""


@dataclass(frozen=True)
class Launch:
    """A requested launch."""

    command: str
    kind: str
    """One of accelerate's distributed types: NO, MULTI_CPU, MULTI_GPU, FSDP, DEEPSPEED, ..."""
    num_processes: int
    device: Literal["any", "cpu", "gpu"] = "any"
    fsdp_version: int = 2
    zero_stage: int | None = None
    """DeepSpeed's ZeRO stage; None: it is set in DeepSpeed's own config file."""

    def __str__(self) -> str:
        under = {"FSDP": f" under FSDP{self.fsdp_version}", "DEEPSPEED": " under DeepSpeed"}
        under |= {"XLA": " under XLA", "MEGATRON_LM": " under Megatron-LM"}
        where = {"any": "", "cpu": " on CPUs", "gpu": " on GPUs"}[self.device]
        return f"{_processes(self.num_processes)}{under.get(self.kind, '')}{where}"


def open_processes(on_gpu: bool) -> PartialState:
    """Return accelerate's state of the processes; the first call opens their group and sets its timeout."""
    from accelerate import PartialState

    return PartialState(cpu=not on_gpu, timeout=WAIT)


def check_launch(on_gpu: bool) -> str:
    """Return the actual launch in one line (processes, device, distributed type); every process calls it.

    Raises:
        ValueError: it differs from what the launch command or its config file asks for; in every process.
    """
    state = open_processes(on_gpu)
    runs = f"{_processes(state.num_processes)} on {state.device.type} (distributed type {state.distributed_type.value})"
    _raise_together(_difference(asked_launch(), runs, state.distributed_type.value, state.num_processes, on_gpu))
    return runs


def check_trainer(trainer: Trainer) -> str:
    """Return in one line how the prepared model is spread over the processes; every process calls it.

    Raises:
        ValueError: it is not sharded or replicated as the launch asks for; in every process.
    """
    asked = asked_launch()
    kind, line, is_sharded = _spread(trainer.model_wrapped)
    wanted = {"FSDP": "FSDP2", "DEEPSPEED": "DeepSpeed"}.get(asked.kind, "DDP" if asked.num_processes > 1 else "")
    problem = ""
    if (wanted and kind != wanted) or (not wanted and kind not in ("one copy", "DDP")):
        problem = f"{asked.command} asks for {asked}, but the prepared model is held as: {line}"
    elif asked.kind in ("FSDP", "DEEPSPEED") and asked.num_processes > 1 and not is_sharded:
        problem = f"{asked.command} asks for {asked}, but every process holds the whole model: {line}"
    elif asked.zero_stage is not None and kind == "DeepSpeed" and not line.endswith(f"ZeRO-{asked.zero_stage}"):
        problem = f"{asked.command} asks for ZeRO-{asked.zero_stage}, but the model runs under {line}"
    _raise_together(f"{problem}; choose another file of {FILES}" if problem else "")
    return line


def asked_launch() -> Launch:
    """Return the requested launch of this process: by `accelerate launch`, torchrun, MPI, srun, or none of them."""
    above = _accelerate_above()
    if above is not None:
        return _asked_of_accelerate(*above)
    count = next((int(os.environ[name]) for name in _COUNTS if os.environ.get(name, "").isdigit()), 1)
    kind = "NO" if count == 1 else "several"
    if _is_set("ACCELERATE_USE_FSDP"):
        kind = "FSDP"
    if _is_set("ACCELERATE_USE_DEEPSPEED"):
        kind = "DEEPSPEED"
    return Launch(
        command="the environment" if count > 1 or kind != "NO" else "python",
        kind=kind,
        num_processes=count,
        device="cpu" if _is_set("ACCELERATE_USE_CPU") else "any",
        fsdp_version=int(os.environ.get("FSDP_VERSION", "1")),
    )


def _accelerate_above() -> tuple[list[str], Path] | None:
    """Return the arguments of the nearest parent `accelerate launch`, and the folder it was started in."""
    import psutil

    for process in psutil.Process().parents():
        try:
            words = _launch_words(process.cmdline())
            if words is not None:
                return words, Path(process.cwd())
        except psutil.Error:  # a process of another user, or one that has ended
            continue
    return None


def _launch_words(command: list[str]) -> list[str] | None:
    """Return the arguments of `accelerate launch`, in any of its spellings; None: it is another command."""
    for index, word in enumerate(command[:6]):
        name = Path(word).name
        if name in ("accelerate-launch", "accelerate.commands.launch"):
            return command[index + 1 :]
        if name in ("accelerate", "accelerate.commands.accelerate_cli") and command[index + 1 : index + 2] == [
            "launch"
        ]:
            return command[index + 2 :]
    return None


def _asked_of_accelerate(words: list[str], folder: Path) -> Launch:
    """Read arguments and config file as accelerate does: arguments win over it, the user's default file is last."""
    import torch
    from accelerate.commands.config.config_args import default_config_file, load_config_from_file
    from accelerate.commands.launch import launch_command_parser

    said, _ = launch_command_parser().parse_known_args(words)
    file = folder / (said.config_file or default_config_file)
    is_read = said.config_file is not None or (file.is_file() and not said.cpu)
    settings = vars(load_config_from_file(str(file))) if is_read else {}
    flags = {"MULTI_GPU": said.multi_gpu, "FSDP": said.use_fsdp, "DEEPSPEED": said.use_deepspeed}
    flags |= {"XLA": said.tpu, "MEGATRON_LM": said.use_megatron_lm}
    kind = next((kind for kind, is_set in flags.items() if is_set), None)
    kind = kind or (settings["distributed_type"].value if settings else "NO")
    fsdp, deepspeed = settings.get("fsdp_config") or {}, settings.get("deepspeed_config") or {}
    count = said.num_processes or settings.get("num_processes") or max(1, torch.cuda.device_count())
    device: Literal["any", "cpu", "gpu"] = "any" if kind == "NO" else "gpu"
    if said.cpu or settings.get("use_cpu") or kind == "MULTI_CPU":
        device = "cpu"
    return Launch(
        command=f"`accelerate launch --config_file {said.config_file}`" if said.config_file else "`accelerate launch`",
        kind=kind,
        num_processes=count,
        device=device,
        fsdp_version=int(fsdp.get("fsdp_version", said.fsdp_version)),
        zero_stage=deepspeed.get("zero_stage", said.zero_stage),
    )


def _difference(asked: Launch, runs: str, kind: str, num_processes: int, on_gpu: bool) -> str:
    """Return in one line how the actual launch differs from the requested one, with the remedy; empty: it does not."""
    remedy = ""
    if asked.kind in ("FSDP", "DEEPSPEED") and not on_gpu:
        remedy = f"without a GPU there is nothing but DDP; take {FILES}/cpu.yaml"
    elif asked.kind == "FSDP" and asked.fsdp_version != 2:
        remedy = f"only version 2 of FSDP is supported; take {FILES}/fsdp2.yaml"
    elif asked.kind == "FSDP" and kind in ("NO", "MULTI_CPU"):
        remedy = f"launch with `accelerate launch --config_file {FILES}/fsdp2.yaml`"
    elif asked.kind == "DEEPSPEED" and kind != "DEEPSPEED":
        remedy = f"launch with `accelerate launch --config_file {FILES}/zero2.yaml`"
    elif asked.kind in ("XLA", "MEGATRON_LM"):
        remedy = f"it is not supported; take a file of {FILES}"
    elif asked.num_processes != num_processes:
        file = "cpu" if asked.device == "cpu" or not on_gpu else "ddp"
        remedy = f"launch with `accelerate launch --config_file {FILES}/{file}.yaml --num_processes N`"
    elif asked.device == "cpu" and on_gpu:
        remedy = "set model.device to cpu"
    elif asked.device == "gpu" and not on_gpu:
        remedy = f"no GPU is visible, or model.device is cpu; take {FILES}/cpu.yaml for CPUs"
    return f"{asked.command} asks for {asked}, but what runs is {runs}; {remedy}" if remedy else ""


def _spread(model: nn.Module) -> tuple[str, str, bool]:
    """Return how a prepared model is held: a name, a line about it, and whether this process holds only a part."""
    from torch.distributed.fsdp import FSDPModule, FullyShardedDataParallel
    from torch.distributed.tensor import DTensor
    from torch.nn import DataParallel
    from torch.nn.parallel import DistributedDataParallel

    if isinstance(model, FSDPModule):
        network: Any = model
        units = sum(isinstance(module, FSDPModule) for module in network.modules())
        whole = sum(parameter.numel() for parameter in network.parameters())
        here = sum((p.to_local() if isinstance(p, DTensor) else p).numel() for p in network.parameters())
        return "FSDP2", f"FSDP2 in {units} units, {here:,} of {whole:,} parameters here", here < whole
    if isinstance(model, FullyShardedDataParallel):
        return "FSDP1", "FSDP1", True
    if any(base.__name__ == "DeepSpeedEngine" for base in type(model).__mro__):
        engine: Any = model
        stage = engine.zero_optimization_stage()
        return "DeepSpeed", f"DeepSpeed ZeRO-{stage}", stage > 0
    if isinstance(model, DistributedDataParallel):
        return "DDP", "DDP, a full copy here", False
    if isinstance(model, DataParallel):
        return "DataParallel", "DataParallel", False
    return "one copy", "one copy", False


def _raise_together(problem: str) -> None:
    """Raise the first problem of any process in all of them: a process that went on alone would wait for ever."""
    import torch.distributed as dist

    problems = [problem]
    if dist.is_available() and dist.is_initialized():
        problems = [""] * dist.get_world_size()
        dist.all_gather_object(problems, problem)
    for found in problems:
        if found:
            raise ValueError(found)


def _is_set(name: str) -> bool:
    return os.environ.get(name, "").lower() in ("1", "true", "yes")


def _processes(number: int) -> str:
    return "1 process" if number == 1 else f"{number} processes"
