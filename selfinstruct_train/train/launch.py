"""Which launch was asked for and which one runs: they must be the same."""

from __future__ import annotations


def check_launch(on_gpu: bool) -> str:
    """Tell in one line what really runs (distributed type, processes, device); every process calls it.

    Raises:
        ValueError: it is not what the launch command or its config file asked for.
    """
    from accelerate import PartialState

    state = PartialState(cpu=not on_gpu)
    return f"{state.distributed_type.value}, {state.num_processes} processes, {state.device.type}"
