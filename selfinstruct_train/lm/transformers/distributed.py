"""Several processes, one model each, behind one LM door: GPUs or CPUs, of one machine or of many.

Process 0 drives the run as if it were alone: it alone reads seeds, opens journals and writes files. The others serve:
they load the model and answer shares of requests until they are told to stop. A share that is done makes room for the
next, so a slow process gets fewer. Started by `torchrun` or `accelerate launch`, which set RANK and WORLD_SIZE; gloo
brings the processes together, then plain sockets carry the shares, because a socket tells at once when the other end
has died, and has no time-out to run into while process 0 does other work.

In float32 the answers are those of one process, in 16 bits too, since shares are then cut without a look at the number
of processes.
"""

from __future__ import annotations

import os
import secrets
import sys
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from multiprocessing.connection import Client, Connection, Listener, wait
from typing import TYPE_CHECKING, Any, NoReturn

from ...config import ModelConfig
from ...core.records import BudgetReachedError, Completion, Request, Sampling
from ..base import LM, OnAnswer
from .shares import Share

if TYPE_CHECKING:
    from .transformers_lm import TransformersLM

START_TIMEOUT = timedelta(minutes=30)
"""For all processes to be there."""
AHEAD = 2
"""Shares that a process has at once, so that it does not wait for process 0."""


def is_main_process() -> bool:
    """Tell whether this process is the one that drives the run; a process that was started alone is."""
    return int(os.environ.get("RANK", "0")) == 0


@contextmanager
def shared_lm(model: ModelConfig) -> Iterator[LM | None]:
    """Give process 0 an LM that all processes serve; the others serve inside, then get None and are done.

    A process that was started alone gets the plain LM.

    Raises:
        ValueError: as `load_lm`, in whichever process; the processes do not hold the same model; one has ended.
        SystemExit: in a process that serves, when process 0 ended without a word or this process failed.
    """
    num_processes = int(os.environ.get("WORLD_SIZE", "1"))
    if num_processes == 1:
        from .. import load_lm

        yield load_lm(model)
        return
    if model.backend != "transformers":
        raise ValueError(
            f"{num_processes} processes were started, but model.backend {model.backend!r} distributes its requests by "
            "itself; start one"
        )
    if not is_main_process():
        _serve(model)
        yield None
        return
    from .loading import load_transformers_lm

    workers = _gather(num_processes)
    try:
        lm = _SharedLM(load_transformers_lm(model), workers)
        lm.await_loaded()
        try:
            yield lm
        except BudgetReachedError:  # an orderly end, for the others too
            _stop(workers)
            raise
        _stop(workers)
    finally:
        for worker in workers:
            worker.connection.close()


@dataclass(eq=False)
class _Worker:
    """Process 0's view of another process: the shares it was given and has not finished, first come first served."""

    rank: int
    connection: Connection
    given: deque[Share] = field(default_factory=deque)

    def tell(self, message: tuple[Any, ...]) -> None:
        try:
            self.connection.send(message)
        except OSError:
            self._has_ended()

    def hear(self) -> tuple[Any, ...]:
        try:
            message: tuple[Any, ...] = self.connection.recv()
        except (EOFError, OSError):
            self._has_ended()
        if message[0] == "error":
            raise ValueError(f"process {self.rank}: {message[1]}")
        return message

    def _has_ended(self) -> NoReturn:
        raise ValueError(
            f"process {self.rank} has ended (killed, or out of memory?); every answer so far is kept, and the same "
            "command goes on from here"
        ) from None


class _SharedLM:
    """The LM of process 0, which answers some shares itself and gives the others away."""

    def __init__(self, lm: TransformersLM, workers: list[_Worker]) -> None:
        self.lm = lm
        self.workers = workers
        self.name = lm.name
        self.chunk_size = lm.chunk_size

    def await_loaded(self) -> None:
        """Wait until every process has its model.

        Raises:
            ValueError: one could not load it, or holds another.
        """
        for worker in self.workers:
            _, name = worker.hear()
            if name != self.name:
                raise ValueError(f"process {worker.rank} runs {name!r}, process 0 {self.name!r}; they must be the same")

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        """Answer every request, in order, as `TransformersLM.complete` does."""
        from .batch import TokenSequence

        prompts = self.lm.encoded(requests, sampling)
        waiting = deque(self.lm.cut(prompts, len(self.workers) + 1))
        answers: dict[int, Completion] = {}

        def rows_of(share: Share) -> list[TokenSequence]:
            return [TokenSequence(prompts[i], requests[i].seed) for i in share.indices]

        def keep(share: Share, new: dict[int, Completion]) -> None:
            named = {share.indices[i]: replace(c, request_id=requests[share.indices[i]].id) for i, c in new.items()}
            answers.update(named)
            if on_answer is not None and named:
                on_answer(list(named.values()))

        def give(worker: _Worker) -> None:
            share = waiting.popleft()
            worker.given.append(share)
            worker.tell(("share", rows_of(share), share.prefix_length, sampling))

        def listen(timeout: float | None) -> None:
            by_connection: dict[Any, _Worker] = {w.connection: w for w in self.workers}
            for connection in wait(list(by_connection), timeout):
                worker = by_connection[connection]
                _, new, is_done = worker.hear()
                keep(worker.given[0], new)
                if is_done:
                    worker.given.popleft()
                    if waiting:
                        give(worker)

        def keep_and_listen(share: Share, new: dict[int, Completion]) -> None:
            keep(share, new)
            listen(0)

        for _ in range(AHEAD):
            for worker in self.workers:
                if len(waiting) > 1:
                    give(worker)
        while waiting:
            share = waiting.popleft()
            self.lm.run_share(rows_of(share), share.prefix_length, sampling, partial(keep_and_listen, share))
        while len(answers) < len(requests):
            listen(None)
        return [answers[i] for i in range(len(requests))]


def _gather(num_processes: int) -> list[_Worker]:
    """Wait for the other processes and open a connection to each; in order of rank."""
    import torch.distributed as dist

    key = secrets.token_bytes(32)
    alone = os.environ.get("LOCAL_WORLD_SIZE") == str(num_processes)
    host = "127.0.0.1" if alone else os.environ["MASTER_ADDR"]
    with Listener((host if alone else "", 0), "AF_INET", backlog=num_processes, authkey=key) as listener:
        dist.init_process_group("gloo", timeout=START_TIMEOUT)
        dist.broadcast_object_list([(host, listener.address[1], key)], src=0)
        workers: list[_Worker] = []
        while len(workers) < num_processes - 1:
            connection = listener.accept()
            workers.append(_Worker(connection.recv(), connection))
    dist.destroy_process_group()
    return sorted(workers, key=lambda worker: worker.rank)


def _stop(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.tell(("stop",))


def _serve(model: ModelConfig) -> None:
    """Answer shares for process 0 until it says stop."""
    try:
        connection = _join()
    except KeyboardInterrupt:
        sys.exit(130)
    try:
        _answer(connection, model)
    except (EOFError, ConnectionError):
        sys.exit(1)  # process 0 has said why, or cannot any more
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        ours = isinstance(error, ValueError | OSError)
        with suppress(OSError):
            connection.send(("error", str(error) if ours else traceback.format_exc()))
        sys.exit(2)


def _join() -> Connection:
    """Open a connection to process 0."""
    import torch.distributed as dist

    dist.init_process_group("gloo", timeout=START_TIMEOUT)
    told: list[Any] = [None]
    dist.broadcast_object_list(told, src=0)
    host, port, key = told[0]
    connection = Client((host, port), "AF_INET", authkey=key)
    connection.send(int(os.environ["RANK"]))
    dist.destroy_process_group()
    return connection


def _answer(connection: Connection, model: ModelConfig) -> None:
    import transformers

    from .loading import load_transformers_lm

    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    lm = load_transformers_lm(model)
    connection.send(("loaded", lm.name))
    while (message := connection.recv())[0] != "stop":
        _, rows, prefix_length, sampling = message
        lm.run_share(rows, prefix_length, sampling, lambda new: connection.send(("answers", new, False)))
        connection.send(("answers", {}, True))
