"""Data parallelism for the vLLM backend: one engine in a process of its own for every replica.

The offline engine of vLLM 0.32 knows data parallelism only as several processes that the user starts. Here each replica
is a plain engine with `tensor_parallel_size` GPUs of its own, and requests are distributed by position, so the answers
do not depend on which replica is free. Not covered: several machines, and experts spread over replicas.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence
from functools import partial
from multiprocessing import get_context
from queue import Empty
from typing import TYPE_CHECKING, Any

from ...config import ModelConfig
from ...core.records import Completion, Request, Sampling
from ..base import OnAnswer
from .vllm_lm import VllmLM

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

Asked = tuple[int, list[Request], Sampling] | None
"""A call to a replica: its number, the requests and how they are sampled; None ends the replica."""
Told = tuple[Any, ...]
"""What a replica says: ready, answers, done or error, the number of the call, and more."""
POLL_SECONDS = 1.0
"""How often it is looked whether a replica that says nothing is still alive."""


class VllmReplicas:
    """Several engines behind one door. See `lm.base.LM` for the promises."""

    def __init__(self, model: ModelConfig) -> None:
        shares = gpu_shares(os.environ.get("CUDA_VISIBLE_DEVICES"), _num_gpus(), model)
        context = get_context("spawn")
        self._told: Queue[Told] = context.Queue()
        self._asked: list[Queue[Asked]] = [context.Queue() for _ in shares]
        self._processes = [
            # no daemons: an engine has child processes of its own, which daemons may not have
            context.Process(target=_serve, args=(i, model, gpus, self._asked[i], self._told))
            for i, gpus in enumerate(shares)
        ]
        for process in self._processes:
            process.start()
        atexit.register(self.close)  # else Python waits for them for ever
        names = [self._next() for _ in shares]
        self.name: str = names[0][2]
        self.chunk_size = len(shares) * int(names[0][3])
        self._call = 0

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        """Answer every request, in order; replica i of n takes requests i, i + n, ...

        Raises:
            ValueError: as a single engine; what the other replicas still answer to this call is not told any more.
        """
        self._call += 1
        num = len(self._processes)
        for i, queue in enumerate(self._asked):
            queue.put((self._call, list(requests[i::num]), sampling))
        answers: dict[str, Completion] = {}
        num_done = 0
        while num_done < num:
            kind, call, *rest = self._next()
            if call != self._call:
                continue
            if kind == "done":
                num_done += 1
                continue
            answers |= {c.request_id: c for c in rest[0]}
            if on_answer is not None:
                on_answer(rest[0])
        return [answers[r.id] for r in requests]

    def close(self) -> None:
        """End the replicas; the end of this process ends them too."""
        atexit.unregister(self.close)
        for queue in self._asked:
            queue.put(None)
        for process in self._processes:
            process.join()

    def _next(self) -> Told:
        """Return what a replica tells next; errors of the current call, and of a start, are raised."""
        while True:
            try:
                told = self._told.get(timeout=POLL_SECONDS)
            except Empty:
                dead = [p.exitcode for p in self._processes if p.exitcode is not None]
                if dead:
                    raise ValueError(
                        f"a vLLM replica ended with exit code {dead[0]}; its own message stands above; the same "
                        "command goes on from here"
                    ) from None
                continue
            if told[0] != "error":
                return told
            if told[1] in (None, self._call):
                raise ValueError(told[2])


def gpu_shares(visible: str | None, num_gpus: int, model: ModelConfig) -> list[str | None]:
    """Return for every replica the CUDA_VISIBLE_DEVICES it gets; None for each where there is no GPU.

    Raises:
        ValueError: there are GPUs, but fewer than replicas times tensor_parallel_size.
    """
    replicas, width = model.vllm.data_parallel_size, model.vllm.tensor_parallel_size
    if num_gpus == 0:
        return [None] * replicas
    if num_gpus < replicas * width:
        raise ValueError(
            f"model.vllm: {replicas} replicas (data_parallel_size) of {width} GPUs (tensor_parallel_size) need "
            f"{replicas * width} GPUs, {num_gpus} are visible; lower one of them"
        )
    names = visible.split(",") if visible else [str(i) for i in range(num_gpus)]
    return [",".join(names[i * width : (i + 1) * width]) for i in range(replicas)]


def _num_gpus() -> int:
    import torch

    return torch.cuda.device_count()


def _serve(replica: int, model: ModelConfig, gpus: str | None, asked: Queue[Asked], told: Queue[Told]) -> None:
    """Run in the replica's process: open the engine, then answer calls until None comes or the parent is gone."""
    from multiprocessing import parent_process

    if gpus is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus
    try:
        lm = VllmLM(model)
    except ValueError as error:
        told.put(("error", None, str(error)))
        return
    told.put(("ready", 0, lm.name, lm.chunk_size))
    parent = parent_process()
    assert parent is not None
    while parent.is_alive():
        try:
            job = asked.get(timeout=POLL_SECONDS)
        except Empty:
            continue
        if job is None:
            return
        call, requests, sampling = job
        try:
            lm.complete(requests, sampling, partial(_tell, told, call))
        except ValueError as error:
            told.put(("error", call, str(error)))
        else:
            told.put(("done", call))


def _tell(told: Queue[Told], call: int, answers: Sequence[Completion]) -> None:
    told.put(("answers", call, list(answers)))
