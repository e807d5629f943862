"""`selfinstruct generate`: seed tasks -> instructions -> instances -> <run_dir>/dataset."""

from __future__ import annotations

from .sections import GENERATION
from .verb import GOES_ON, Call, Verb


def run(call: Call) -> None:
    from selfinstruct_eval.evaluation_data import open_evaluation_data

    from ..generate.pipeline import generate, prepare
    from ..lm.transformers.distributed import is_main_process, shared_lm

    if not is_main_process():  # it only serves process 0, which alone speaks
        with shared_lm(call.config.model):
            return
    plan = prepare(call.config)
    evaluation_data = open_evaluation_data(call.config)

    with shared_lm(call.config.model) as lm:
        assert lm is not None
        result = generate(plan, lm, evaluation_data)

    counts = result.funnel["instructions"]
    generated = result.statistics["generated"]
    print(
        f"{generated.num_instances} instances of {generated.num_instructions} instructions "
        f"({counts.acceptance_rate:.0%} of {counts.num_candidates} candidates accepted) and "
        f"{result.statistics['seed'].num_instances} of seed tasks"
    )
    for path in result.files:
        print(path)


VERB = Verb(
    summary="Generate a dataset from seed tasks with the run's own model.",
    example="selfinstruct generate tiny --generate.num_instructions 50",
    run=run,
    sections=GENERATION,
    log_level="INFO",
    when_stopped=GOES_ON,
)
