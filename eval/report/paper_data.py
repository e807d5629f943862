"""The paper's tables and figures on data and settings, a run's numbers beside them; paper_results.py has the results.

Each function makes one item from what the run's commands left; no model is asked and nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median

from selfinstruct_train.core import paper_numbers as paper
from selfinstruct_train.core.builtin import PREFIX, resolve
from selfinstruct_train.core.names import SET_TITLES, STAGES, TASKS, USER_ORIENTED
from selfinstruct_train.core.records import Sampling
from selfinstruct_train.core.rouge import rouge_l, rouge_words

from ..tasks import load_tasks, load_user_oriented, read_jsonl
from .costs import read_costs
from .paper_run import PICTURE, Item, Line, RunFolder, shown_name
from .run_facts import read_review
from .templates import figure


def nearest(instructions: Sequence[str], others: Sequence[str]) -> list[float]:
    """Return each instruction's largest ROUGE-L F1 to any of the others, in [0, 1]: rouge_score's words, no stemmer."""
    words = [rouge_words(text) for text in others]
    return [max((rouge_l(rouge_words(text), other) for other in words), default=0.0) for text in instructions]


def examples(run: RunFolder) -> Item:
    there = (run.root / "dataset" / "README.md").is_file()
    ours = "examples in dataset/README.md, drawn at random" if there else ""
    missing = () if there else (run.command("generate"),)
    return Item("Figure 1", "Selected generated tasks", (Line("Examples", "examples", ours),), missing=missing)


def pipeline(run: RunFolder) -> Item:
    g, funnel = run.config.generate, run.read("funnel.json")
    accepted = ""
    if funnel is not None and funnel.get("instructions"):
        verdicts = funnel["instructions"]["verdicts"]
        accepted = f"{verdicts['kept']:,} of {sum(verdicts.values()):,}"
    lines = (
        Line("Instructions shown in a prompt (section 2.2)", str(paper.NUM_IN_CONTEXT), str(g.num_prompt_instructions)),
        Line("of them machine-written, at most", str(paper.NUM_MACHINE_IN_CONTEXT), str(g.max_machine_instructions)),
        Line("ROUGE-L above which a candidate goes", str(paper.ROUGE_L_THRESHOLD), str(g.rouge_l_threshold)),
        Line("Candidates that became instructions", "", accepted),
    )
    return Item("Figure 2", "The pipeline", lines, missing=() if accepted else (run.command("generate"),))


def statistics(run: RunFolder) -> Item:
    found = (run.read("statistics.json") or {}).get("generated", {})
    lines = tuple(
        Line(what, figure(number), figure(found[key]) if key in found else "") for key, what, number in paper.STATISTICS
    )
    return Item(
        "Table 1", "Statistics of the generated data", lines, missing=() if found else (run.command("generate"),)
    )


def verbs(run: RunFolder) -> Item:
    found = run.read("verb_noun.json")
    ours = drawn = ""
    if found is not None:
        number, total = found["num_with_pair"], found["num_instructions"]
        ours = f"{number:,} of {total:,} ({number / total:.1%})"
        drawn = f"{found['num_drawn'] / total:.0%}"
    number, all_of_them = paper.NUM_WITH_VERB_AND_NOUN, paper.NUM_INSTRUCTIONS
    lines = (
        Line("With a root verb and its object", f"{number:,} of {all_of_them:,} ({number / all_of_them:.1%})", ours),
        Line("Shown: 20 verbs, 4 objects each", f"{paper.PERCENT_DRAWN}%", drawn),
    )
    note = (
        "The paper parses with the Berkeley parser, we tag by machine; ours is drawn in dataset/figures/verb_noun.png."
    )
    return Item("Figure 3", "Verbs and their objects", lines, note, () if found else (run.command("describe"),))


def seed_distance(run: RunFolder) -> Item:
    path = run.root / "nearest_seed.jsonl"
    if not path.is_file():
        lines = (Line("ROUGE-L to the nearest seed", PICTURE),)
        return Item("Figure 4", "Distance from the seed instructions", lines, missing=(run.command("describe"),))
    run.files.append(path)
    values = sorted(float(row["rouge_l"]) for _, row in read_jsonl(path))
    below = sum(value < 0.3 for value in values) / len(values)
    ours = f"mean {fmean(values):.2f}, median {median(values):.2f}, largest {values[-1]:.2f}; {below:.0%} below 0.3"
    note = "Ours is drawn in dataset/figures/seed_similarity.png."
    return Item(
        "Figure 4", "Distance from the seed instructions", (Line("ROUGE-L to the nearest seed", PICTURE, ours),), note
    )


def lengths(run: RunFolder) -> Item:
    path = run.root / "dataset" / "train.parquet"
    names = ("Instructions", "Non-empty inputs", "Outputs")
    if not path.is_file():
        lines = tuple(Line(f"{name}, words", PICTURE) for name in names)
        return Item("Figure 5", "Lengths", lines, missing=(run.command("generate"),))
    columns = _generated(path)
    instructions = list(dict(zip(columns["instruction_id"], columns["instruction"], strict=True)).values())
    texts = (instructions, [text for text in columns["input"] if text], columns["output"])
    lines = tuple(Line(f"{name}, words", PICTURE, _spread(part)) for name, part in zip(names, texts, strict=True))
    return Item("Figure 5", "Lengths", lines, "Ours is drawn in dataset/figures/lengths.png.")


def _generated(path: Path) -> dict[str, list[str]]:
    import pyarrow
    import pyarrow.parquet

    wanted = ["instruction_id", "instruction", "input", "output"]
    try:
        rows = pyarrow.parquet.read_table(path, columns=[*wanted, "source"]).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path}: cannot be read as parquet: {' '.join(str(error).split())}") from None
    return {name: [row[name] for row in rows if row["source"] == "generated"] for name in wanted}


def _spread(texts: Sequence[str]) -> str:
    if not texts:
        return "none"
    lengths = sorted(len(text.split()) for text in texts)
    most = lengths[-(-len(lengths) * 95 // 100) - 1]
    return f"median {median(lengths):g}, 95 % at most {most}, longest {lengths[-1]}"


def review(run: RunFolder) -> Item:
    paths = [run.root / name for name in ("review.json", "review-people.json")]
    run.files += [path for path in paths if path.is_file()]
    found = [record for path in paths if (record := read_review(path)) is not None]
    lines = []
    for key, question, percent in paper.REVIEW:
        ours = " / ".join(_percent(record.percent[key], record.interval.get(key)) for record in found)
        lines.append(Line(f"{question}, percent", str(percent), ours))
    by = " / ".join(f"{record.reviewer or 'a reviewer'}, {record.n:,} instances" for record in found)
    note = "The paper: 200 instances, one of its authors." + (f" Ours: {by}." if by else "")
    missing = () if found else (run.command("annotate", "--annotate.job data"),)
    return Item("Table 2", "Quality of the generated data", tuple(lines), note, missing)


def _percent(value: float, interval: Sequence[float] | None) -> str:
    return f"{value:.1f}" + (f" [{interval[0]:.1f}, {interval[1]:.1f}]" if interval else "")


def seed_overlap(run: RunFolder) -> Item:
    """Compare the run's seed instructions with those of its evaluation sets, which are read from where they lie."""
    title, place = "Seed instructions against the evaluation sets", "Figure 8 (A.1)"
    figures = {
        TASKS: (SET_TITLES[TASKS], paper.SEEDS_TO_SUPERNI),
        USER_ORIENTED: (SET_TITLES[USER_ORIENTED], paper.SEEDS_TO_USER_ORIENTED),
    }
    try:
        path = Path(resolve(run.config.generate.seed_tasks, "seed_tasks"))
        seeds = list(dict.fromkeys(str(row["instruction"]) for _, row in read_jsonl(path)))
        # without the worked examples that a prompt may show beside a definition
        evaluation = run.config.eval
        sets = {TASKS: load_tasks(evaluation.tasks, evaluation.split, max_instances=1)}
        if evaluation.user_oriented is not None:
            sets[USER_ORIENTED] = load_user_oriented(evaluation.user_oriented)
    except (ValueError, KeyError) as error:
        told = tuple(Line(f"{name}: mean ROUGE-L of a seed to the nearest", f"{n}") for name, n in figures.values())
        return Item(place, title, told, f"Ours is not there: {error}", ("selfinstruct data",))
    lines: list[Line] = []
    sources = []
    for key, (name, number) in figures.items():
        others = list(dict.fromkeys(e.instruction for e in sets.get(key, ())))
        values = nearest(seeds, others)
        what = f"{name}: mean ROUGE-L of a seed to the nearest"
        lines.append(Line(what, str(number), f"{fmean(values):.2f}" if others else ""))
        if key == USER_ORIENTED:
            same = [seed for seed in seeds if rouge_words(seed) in [rouge_words(text) for text in others]]
            ours = f"{len(same)}" + (f" ({same[0]!r})" if same else "") if others else ""
            theirs = f"{paper.NUM_IDENTICAL} ('answer the following question')"
            lines.append(Line(f"{name}: identical instructions", theirs, ours))
        sources.append(f"{len(others):,} instructions of {_source(run, key)}")
    note = (
        f"Ours: {len(seeds):,} seeds of {shown_name(run.config.generate.seed_tasks)} against {' and '.join(sources)}."
    )
    missing = () if USER_ORIENTED in sets else (run.command("paper", "--eval.user_oriented FILE"),)
    return Item(place, title, tuple(lines), note, missing)


def _source(run: RunFolder, key: str) -> str:
    return shown_name(run.config.eval.tasks if key == TASKS else run.config.eval.user_oriented or "nothing named")


def queries(run: RunFolder) -> Item:
    lines = []
    for query in paper.QUERIES:
        ours = run.config.eval.sampling if query.key == "eval" else getattr(run.config.generate, query.key)
        penalties = (query.presence_penalty, query.frequency_penalty)
        theirs = Sampling(query.max_length, query.temperature, query.top_p or 1.0, *penalties, query.stop)
        lines.append(Line(query.what, _sampling(theirs, "0" if not query.top_p else ""), _sampling(ours)))
    note = "At temperature 0 the answer is greedy, whatever top-p says. Tk-Instruct evaluates with up to 128 tokens."
    return Item("Table 4", "How the model is asked", tuple(lines), note)


def _sampling(s: Sampling, top_p: str = "") -> str:
    stop = ", ".join(json.dumps(text) for text in s.stop) or "none"
    frequency = f"frequency penalty {s.frequency_penalty:g}, " if s.frequency_penalty else ""
    return (
        f"temperature {s.temperature:g}, top-p {top_p or f'{s.top_p:g}'}, presence penalty {s.presence_penalty:g}, "
        f"{frequency}at most {s.max_new_tokens} tokens, stop {stop}"
    )


def finetuning(run: RunFolder) -> Item:
    t, costs = run.config.train, read_costs(run.config)
    length = f"{t.epochs:g} epochs" if t.max_steps is None else f"{t.max_steps} steps"
    spent = ""
    if costs is not None:
        stages = [s for s in costs.stages if s.stage in STAGES]
        tokens = sum(s.prompt_tokens + s.completion_tokens for s in stages)
        money = [s.money for s in stages if s.money is not None]
        price = f"{sum(money):.2f} {costs.currency}" if money else "no price set"
        spent = f"{price}, {tokens:,} tokens" if stages else ""
    lines = (
        Line("Model", "GPT3 davinci, 175B", shown_name(run.config.model.path)),
        Line("Length of the training", f"{paper.EPOCHS} epochs", length),
        Line("Weight of the prompt in the loss", str(paper.PROMPT_LOSS_WEIGHT), f"{t.prompt_loss_weight:g}"),
        Line("Method", "OpenAI's service, its defaults", f"{t.method}, learning rate {t.learning_rate:g}"),
        Line("Cost of the generation", f"about {paper.GENERATION_USD} USD", spent),
        Line("Cost of the finetuning", f"{paper.FINETUNING_USD} USD", ""),
    )
    note = "Prices are set in budget.prices; the cost of a training on one's own machine is not known here."
    missing = () if spent else (run.command("generate"),)
    return Item("Appendix A.2, A.3", "Finetuning and cost", lines, note, missing)


def prompts(run: RunFolder) -> Item:
    name = run.config.generate.templates
    built_in = name.startswith(PREFIX)
    lines = (
        Line("Prompt for instructions (table 5)", "8 tasks and 'Task 9:'", f"{run.config.generate.prompt_form} form"),
        Line(
            "Few-shot prompts (tables 6, 7, 8)",
            "the paper's",
            f"{shown_name(name)}{', of our own writing' if built_in else ''}",
        ),
        Line("Examples of the classification prompt", str(paper.NUM_CLASSIFICATION_SHOTS), _num_shots(name)),
    )
    note = "`selfinstruct data` brings the released prompts; the config paper uses them." if built_in else ""
    return Item("Tables 5 to 8", "Prompts of the generation", lines, note)


def _num_shots(name: str) -> str:
    path = Path(resolve(name, "templates")) / "classification.txt"
    return str(path.read_text(encoding="utf-8").count("Is it classification? ")) if path.is_file() else ""
