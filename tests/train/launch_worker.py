"""A process that tells in one line what its launch asks for and what runs, or refuses as the training does."""

import sys

from selfinstruct_train.command import run_recipe
from selfinstruct_train.train.launch import asked_launch, check_launch


def main() -> None:
    print(f"runs: {check_launch(on_gpu=False)}; {asked_launch().command} asks for {asked_launch()}", flush=True)


sys.exit(run_recipe(main))
