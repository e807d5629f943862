"""`selfinstruct annotate`: a page on this machine where people rate answers, or review the generated data."""

from __future__ import annotations

import logging
from pathlib import Path

from .verb import GOES_ON, Call, Verb

logger = logging.getLogger(__name__)


def run(call: Call) -> None:
    from selfinstruct_eval.people.desk import Desk
    from selfinstruct_eval.people.items import load_work
    from selfinstruct_eval.people.results import write_results
    from selfinstruct_eval.people.server import serve
    from selfinstruct_eval.report.report import rewrite_report

    from ..core.progress import others_speak
    from ..publish.model_index import write_model_indexes

    config = call.config
    work = load_work(config)
    if not call.options["results"]:
        what = f"{len(work.items)} items of {work.set}" + (f", {len(work.systems)} systems" if work.systems else "")

        def announce(address: str) -> None:
            print(f"{what}\nopen {address}\nCtrl-C ends it and prints the results", flush=True)

        with others_speak():
            serve(Desk(config, work), config.annotate.port, announce)
    path, lines = write_results(config, work)
    print("\n".join(lines), flush=True)
    if path is None:
        return
    files = [path]
    if (Path(config.run_dir) / "eval" / "scores.json").is_file():
        files += [*rewrite_report(config), *write_model_indexes(config.run_dir)]
    for file in files:
        logger.info("wrote %s", file)


VERB = Verb(
    summary="Serve a page on this machine where people rate answers or review generated data.",
    example="selfinstruct annotate tiny --annotate.job data",
    run=run,
    sections=("run_dir", "seed", "annotate", "eval", "train.mixtures"),
    options={"--results": {"action": "store_true", "help": "serve no page; write and print the results so far"}},
    log_level="INFO",
    when_stopped=GOES_ON,
)
