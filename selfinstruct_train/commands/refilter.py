"""`selfinstruct refilter`: a run's answers at other thresholds, asking no model."""

from __future__ import annotations

from .sections import GENERATION
from .verb import Call, Verb


def run(call: Call) -> None:
    from selfinstruct_eval.evaluation_data import open_evaluation_data

    from ..core.progress import compact
    from ..generate.funnel import comparison_table, funnel_table
    from ..generate.pipeline import read_plan
    from ..generate.refilter import refilter
    from ..lm.budget import money

    result = refilter(read_plan(call.config), open_evaluation_data(call.config))

    after = result.generated.funnel
    print(funnel_table(after) if result.before is None else comparison_table(result.before, after))
    print(
        "the prompts showed the pool of the old thresholds; a new run at these would show another and go on elsewhere"
    )
    missing = result.missing
    if missing.num_instances:
        usage = missing.usage
        cost = f", {money(usage.cost)} {call.config.budget.currency}" if usage.cost else ""
        print(
            f"a model would have to be asked about {missing.num_instances:,} accepted instructions without instances, "
            f"{missing.num_labels:,} of them without a class, which the dataset lacks: about {usage.num_requests:,} "
            f"requests, {compact(usage.prompt_tokens)} tokens in, {compact(usage.completion_tokens)} out{cost}"
        )
    for path in result.generated.files:
        print(path)


VERB = Verb(
    summary="Filter a run's answers again at other thresholds, asking no model.",
    example="selfinstruct refilter tiny --generate.rouge_l_threshold 0.6",
    run=run,
    sections=GENERATION,
)
