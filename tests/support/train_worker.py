"""A process of a distributed training on CPUs: `train` alone, without what the command does before and after.

--as_gpus lets accelerate take gloo for a launch on GPUs, so that its own FSDP2 (wrapping, loading, checkpoints,
gathering) or DeepSpeed runs here; only its choice of a backend is replaced. --unchecked leaves out our refusal at the
start, which --as_gpus does too. --stop_at N ends the process without a word after step N, as a kill would.
"""

import logging
import os
import sys

import torch.distributed as dist
from accelerate import PartialState
from accelerate.utils import DistributedType
from transformers import TrainerCallback

from selfinstruct_train.cli import exit_code_of
from selfinstruct_train.config.load import load_config
from selfinstruct_train.train import trainer as training
from selfinstruct_train.train.plan import make_plan


def let_accelerate_take_gloo() -> None:
    os.environ["ACCELERATE_TORCH_DEVICE"] = "cpu"
    if os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true":
        import deepspeed

        deepspeed.init_distributed("gloo", auto_mpi_discovery=False)
    else:
        dist.init_process_group("gloo")
    PartialState._prepare_backend = lambda *a, **k: ("gloo", DistributedType.MULTI_GPU)
    start = PartialState.__init__
    PartialState.__init__ = lambda self, cpu=False, **options: start(self, False, **options)


def main() -> None:
    arguments = sys.argv[1:]
    if "--as_gpus" in arguments:
        arguments.remove("--as_gpus")
        let_accelerate_take_gloo()
        training.check_launch = lambda on_gpu: "unchecked"
    if "--unchecked" in arguments:
        arguments.remove("--unchecked")
        training.check_launch = lambda on_gpu: "unchecked"
    stop_at = 0
    if "--stop_at" in arguments:
        place = arguments.index("--stop_at")
        stop_at = int(arguments[place + 1])
        del arguments[place : place + 2]
    sys.argv[1:] = arguments
    logging.basicConfig(level=logging.INFO)

    class StopAt(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == stop_at:
                os._exit(9)

    make_trainer = training.make_trainer

    def watched(*args, **kwargs):
        trainer = make_trainer(*args, **kwargs)
        trainer.add_callback(StopAt())
        return trainer

    training.make_trainer = watched
    training.train(make_plan(load_config(sys.argv[1:]), "seeds+generated"))


sys.exit(exit_code_of(main))
