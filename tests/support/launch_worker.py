"""A process that tells what its launch asks for, what runs and how long it waits, or refuses as the training does."""

import sys

import torch
import torch.distributed as dist

from selfinstruct_train.cli import exit_code_of
from selfinstruct_train.train.launch import asked_launch, check_launch


def main() -> None:
    print(f"runs: {check_launch(on_gpu=False)}; {asked_launch().command} asks for {asked_launch()}", flush=True)
    if dist.is_initialized():
        print(f"waits: {dist.group.WORLD._get_backend(torch.device('cpu')).options._timeout}", flush=True)


sys.exit(exit_code_of(main))
