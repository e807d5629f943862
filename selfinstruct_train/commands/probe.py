"""`selfinstruct probe`: which prompt form suits a model."""

from __future__ import annotations

from .sections import GENERATION
from .verb import GOES_ON, Call, Verb


def run(call: Call) -> None:
    from ..generate.pipeline import check_writable, read_plan
    from ..generate.probe import advice, probe, probe_path, probe_table
    from ..lm import load_lm

    config = call.config
    plan = read_plan(config)
    check_writable(plan.run_dir)
    results = probe(plan, load_lm(config.model))

    print(probe_table(results, config.seed))
    print(advice(results, config.generate.num_instructions, config.seed, config.budget))
    print(probe_path(config))


VERB = Verb(
    summary="Ask 20 prompts in every prompt form and compare what comes back.",
    example="selfinstruct probe gpu",
    run=run,
    sections=GENERATION,
    when_stopped=GOES_ON,
)
