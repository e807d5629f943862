"""`selfinstruct eval`: score the base and the trained models of a run, or any predictions files."""

from __future__ import annotations

import logging

from .sections import EVALUATION
from .verb import GOES_ON, Call, Verb

logger = logging.getLogger(__name__)


def run(call: Call) -> None:
    from selfinstruct_eval.evaluate import evaluate_files, evaluate_run, file_lines
    from selfinstruct_eval.report.report import write_report
    from selfinstruct_eval.scores import summary

    from ..publish.model_index import write_model_indexes
    from ..train.verify.record import state_of

    predictions, scores = call.options["predictions"], call.options["scores"]
    if scores and not predictions:
        raise ValueError("--scores is for --predictions; a run's scores are always in <run_dir>/eval/scores.json")
    if predictions:
        done = evaluate_files(call.config, predictions, scores)
        lines, files = file_lines(done.evaluations[0]), done.files
    else:
        done = evaluate_run(call.config, state_of)
        lines = summary(done.evaluations[0])
        files = [*done.files, *write_report(call.config, done.evaluations), *write_model_indexes(call.config.run_dir)]
    for file in files:
        logger.info("wrote %s", file)
    print("\n".join(lines))


VERB = Verb(
    summary="Score the base and the trained models of a run, or any predictions files.",
    example="selfinstruct eval tiny --eval.max_instances_per_task 25",
    run=run,
    sections=EVALUATION,
    options={
        "--predictions": {
            "action": "append",
            "metavar": "FILE",
            "help": 'load no model and score this file: JSON lines with a "prediction" (or "response") each, for '
            "--eval.tasks with --eval.split or for --eval.user_oriented; may be given more than once",
        },
        "--scores": {"metavar": "FILE", "help": "write the scores of --predictions to this file"},
    },
    instead_of_config=("predictions",),
    log_level="INFO",
    logs_settings=False,
    when_stopped=GOES_ON,
)
