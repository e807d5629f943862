"""Finetune the model on the run's dataset: python recipes/train.py --config configs/tiny.yaml [--train.method lora]

On several GPUs: accelerate launch --config_file configs/accelerate/ddp.yaml recipes/train.py --config ...
Each mixture of train.mixtures makes a model of its own. The doctor looks at all of them first, and recipes/verify.py at
what was saved, in a new process. Stopped at any moment, the same command goes on from the last checkpoint; a mixture
that is finished with the same settings and data is not trained again. Exit code 2 and one line for what the user can
mend, and for a model that is not fit for use.
"""

from __future__ import annotations

import functools
import gc
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from selfinstruct_train.cli import run_recipe

if TYPE_CHECKING:
    from selfinstruct_train.config import Config
    from selfinstruct_train.train.plan import Plan

LAUNCHED = (
    *("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_", "ROLE_", "FSDP_", "MASTER_"),
    *("TORCHELASTIC_", "ACCELERATE_", "PMI_", "OMPI_", "MV2_", "SLURM_"),
)
"""Beginnings of what launchers put into the environment: the new process that verifies is not one of theirs."""


def main() -> None:
    from selfinstruct_train.config.load import changed_settings, load_config

    is_first = os.environ.get("RANK", "0") == "0"
    # Threads that spin while they wait make a busy machine ten times slower; read when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    config = load_config(None)
    warnings.filterwarnings("ignore", category=FutureWarning)  # of the libraries, about one another
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # peft loads it; it misses a kernel for CPUs nobody needs
    logging.getLogger("selfinstruct_train").setLevel(logging.INFO if is_first else logging.ERROR)
    log = logging.getLogger("selfinstruct_train.recipe")
    log.info("%s", changed_settings(config))

    from selfinstruct_train.train.checkpoints import delete_checkpoints
    from selfinstruct_train.train.failures import first_does
    from selfinstruct_train.train.plan import is_complete, make_plan, refuse_other_training
    from selfinstruct_train.train.trainer import check, train
    from selfinstruct_train.train.verify.verification import is_verified

    log.info("training runs as %s", check(config))
    plans = [make_plan(config, mixture) for mixture in config.train.mixtures]
    for plan in plans:
        refuse_other_training(plan)
    new = [plan for plan in plans if not is_complete(plan)]
    for plan in plans:
        if plan not in new:
            first_does(functools.partial(delete_checkpoints, plan))  # where the command before was killed at its end
    if new:
        first_does(lambda: _examine(config, new, log))
    lines = [f"{plan.mixture}: trained before with the same settings and data" for plan in plans if plan not in new]
    for plan in new:
        result = train(plan)
        first, last = result.losses
        best = "" if result.best_step is None else f", best at step {result.best_step}"
        lines.append(
            f"{plan.mixture}: {result.steps} steps on {len(plan.rows)} rows in {result.seconds:.0f} s, "
            f"loss {first:.3f} -> {last:.3f}{best}"
        )
    if not is_first:
        return
    for line in lines:
        print(line, flush=True)
    if not all(is_verified(plan.folder) for plan in plans):
        _verify_in_a_new_process([plan.folder for plan in plans])
    for plan in plans:
        print(plan.folder)


def _examine(config: Config, plans: Sequence[Plan], log: logging.Logger) -> None:
    from selfinstruct_eval.evaluation_data import open_evaluation_data
    from selfinstruct_train.generate.contamination import find_overlaps
    from selfinstruct_train.train.checks.doctor import CHECKS, examine_all
    from selfinstruct_train.train.checks.findings import check_allowed, findings_table, refuse
    from selfinstruct_train.train.verify.verification import CHECKS as OF_THE_FINISHED_MODEL

    check_allowed(config.train.allow, (*CHECKS, *OF_THE_FINISHED_MODEL))
    contamination = config.generate.contamination
    overlaps = functools.partial(find_overlaps, evaluation_data=open_evaluation_data(config), settings=contamination)
    results = examine_all(config, plans, overlaps if contamination.action != "off" else None)
    for plan, findings in zip(plans, results, strict=True):
        log.info("%s: %d of %d rows\n%s", plan.mixture, len(plan.rows), len(plan.source_rows), findings_table(findings))
    refuse(finding for findings in results for finding in findings)


def _verify_in_a_new_process(folders: Sequence[Path]) -> None:
    import torch

    from selfinstruct_train.train.verify.verification import is_refused

    gc.collect()
    torch.cuda.empty_cache()  # does nothing without a GPU
    environment = {name: value for name, value in os.environ.items() if not name.startswith(LAUNCHED)}
    command = [sys.executable, str(Path(__file__).with_name("verify.py")), *sys.argv[1:]]
    code = subprocess.run(command, env=environment, check=False).returncode
    if code == 130:
        raise KeyboardInterrupt
    if code and any(is_refused(folder) for folder in folders):
        raise ValueError("the trained model is not proven fit for use; the lines above tell why")
    if code:
        why = "the lines above tell why" if code > 0 else f"signal {-code}, often the system's when memory runs out"
        raise ValueError(f"trained and kept, but it could not be examined: {why}; recipes/verify.py does it anew")


if __name__ == "__main__":
    sys.exit(run_recipe(main, "stopped; the same command goes on from the last checkpoint"))
