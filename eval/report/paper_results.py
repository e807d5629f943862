"""The paper's results, a run's numbers beside them: SuperNI, people's ratings, data size and quality, their agreement.

Each function makes one item from what the run's commands left; no model is asked and nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from selfinstruct_train.core import paper_numbers as paper
from selfinstruct_train.core.builtin import PREFIX
from selfinstruct_train.core.names import BASE, BASE_CUT, ROUGE_L, SEEDS_AND_GENERATED, SET_TITLES, TASKS, USER_ORIENTED

from ..people.results import shown_agreement
from ..prompts import prompt_settings
from .paper_run import PICTURE, Item, Line, RunFolder, shown_name

# which system of the run, or which arm of its baselines (experiment.datasets), stands for a row of table 3
_OWN = {"GPT3": BASE, "GPT3-SelfInst": SEEDS_AND_GENERATED}
_ARMS = {"GPT3+T0": "t0", "GPT3+SuperNI": "superni", "GPT3-SelfInst+SuperNI": "superni+generated"}
# what makes a prompt more than the definition in the format of the training; by default none is set
_PROMPT = ("encoding", "num_positive_examples", "num_negative_examples")
_NOT_RUN = {
    "T5-LM": "an encoder-decoder, not run here",
    "T0": "an encoder-decoder, not run here",
    "Tk-Instruct": "an encoder-decoder, not run here",
    "InstructGPT-001": "served no more",
}


def superni(run: RunFolder) -> Item:
    """Table 3: ROUGE-L on unseen tasks."""
    own = _overall(run.read("eval/scores.json"), TASKS)
    arms = _overall(run.read("baselines/eval/scores.json"), TASKS)
    lines = []
    for name, size, number in paper.SUPERNI:
        system, arm = _OWN.get(name, name), _ARMS.get(name, name)
        ours = _NOT_RUN.get(name, "")
        if system in own:
            ours = f"{_score(own[system])} ({system})"
        elif arm in arms:
            ours = f"{_score(arms[arm])} (baseline {arm})"
        lines.append(Line(f"{name} ({size})", f"{number:.1f}", ours))
    told = {*_OWN.values(), *_ARMS.values(), *(name for name, _, _ in paper.SUPERNI)}
    lines += [Line(f"ours: {name}", "", _score(score)) for name, score in own.items() if name not in told]
    lines += [
        Line(f"baseline {name}", "", _score(score)) for name, score in arms.items() if name not in {*told, BASE_CUT}
    ]
    missing = ([] if own else [run.command("eval")]) + _baseline_commands(
        run, [a for a in _ARMS.values() if a not in arms]
    )
    return Item("Table 3", "SuperNI: ROUGE-L on unseen tasks", tuple(lines), _tasks_note(run), tuple(missing))


def _baseline_commands(run: RunFolder, arms: Sequence[str]) -> list[str]:
    """Return what makes the training sets of table 3's baselines, and then trains on them."""
    if not arms:
        return []
    source = run.config.eval.tasks if run.config.eval.tasks.startswith(PREFIX) else "NATURAL_INSTRUCTIONS.zip"
    named = run.config.experiment.datasets
    folders = {
        "t0": "data/t0",
        "superni": "data/superni",
        "superni+generated": "data/superni+generated/dataset",
    } | named
    both = folders["superni+generated"].removesuffix("/dataset")
    made = {
        "t0": f"selfinstruct convert p3 hub:yizhongw/self_instruct:p3@refs/convert/parquet --out {folders['t0']}",
        "superni": f"selfinstruct convert superni {source} --out {folders['superni']}",
        "superni+generated": f"selfinstruct merge {run.root} superni={folders['superni']} --out {both}",
    }
    datasets = ", ".join(f"{arm}: {folder}" for arm, folder in folders.items())
    setting = "" if folders == named else f"--experiment.datasets '{{{datasets}}}'"
    return [*(made[arm] for arm in arms), run.command("baselines", setting)]


def _tasks_note(run: RunFolder) -> str:
    found = next((s for s in run.read("eval/scores.json") or [] if s["set"] == TASKS), None)
    theirs = f"The paper: {paper.NUM_TEST_TASKS} tasks, {paper.NUM_INSTANCES_PER_TASK} instances each, definition only."
    if found is None:
        return theirs
    source, number = shown_name(found["source"]), found["num_examples"]
    ours = f"Ours: {found['num_tasks']} tasks of {source}, n = {number:,}, 95 % intervals"
    differences = _differences(run, found)
    if differences:
        return f"{theirs} {ours}. {' AND '.join(differences)} THAN THE PAPER'S: the two columns cannot be compared."
    return f"{theirs} {ours}."


def _differences(run: RunFolder, found: dict[str, Any]) -> list[str]:
    """What of the evaluation was not as in the paper, so that its scores are others'; of old files as it is set now."""
    e = run.config.eval
    number, prompt = found["num_tasks"], found.get("prompt", prompt_settings(e))
    differences = {
        "OTHER TASKS": number != paper.NUM_TEST_TASKS or found.get("split", e.split) != "default",
        "OTHER INSTANCES": found["num_examples"] != paper.NUM_INSTANCES_PER_TASK * number,
        "OTHER PROMPTS": any(prompt.get(name) for name in _PROMPT),
        "OTHER WORDS OF ROUGE": found.get("rouge_tokenizer", e.rouge_tokenizer) is not None,
    }
    return [what for what, differs in differences.items() if differs]


def human_ratings(run: RunFolder) -> Item:
    """Figure 6: A to D for the answers to the user-oriented tasks, by people, and by the judge beside them."""
    people, judge = run.read("eval/people.json"), run.read("eval/judge.json")
    rated = {} if people is None else people["systems"]
    judged = {} if judge is None else judge.get("rating") or {}
    graded = [*rated, *(name for name in judged if name not in rated)]
    # a published system whose own answers were graded stands in its own row, and ours below
    stands = {name: name if name in graded else _OWN.get(name, name) for name in paper.PEOPLE}
    lines = []
    for name, counts in paper.PEOPLE.items():
        a, b, _, _ = counts
        theirs = _grades(dict(zip("ABCD", counts, strict=True))) + f"; {100 * (a + b) / sum(counts):.1f}% acceptable"
        lines.append(Line(name, theirs, _rating(stands[name], rated, judged)))
    others = [name for name in graded if name not in stands.values()]
    lines += [Line(f"ours: {name}", "", _rating(name, rated, judged)) for name in others]
    note = "The paper: 252 tasks, an author's grades; acceptable is A or B."
    beside = [f"{name}: {system}" for name, system in stands.items() if system != name and system in graded]
    note += f" In the row of {' and of '.join(beside)}." if beside else ""
    for what, found, count in (("people", people, "num_items"), ("the judge", judge, "num_examples")):
        if found is not None:
            tasks = SET_TITLES.get(found["set"], found["set"]).lower()
            by = f" ({found['lm']})" if "lm" in found else ""
            note += f" Ours, {what}{by}: {found[count]:,} {tasks} of {_source(run, found['set'])}."
            if outdated := _outdated(run, found):
                note += f" OF OTHER ANSWERS than those scored now: {', '.join(outdated)}."
    missing = [run.command(verb) for verb, found in (("annotate", people), ("judge", judge)) if found is None]
    return Item("Figure 6", "How people rate the answers, A to D", tuple(lines), note, tuple(missing))


def _outdated(run: RunFolder, graded: dict[str, Any]) -> list[str]:
    """Systems that answered anew since their answers were graded."""
    scored: dict[str, Any] = next((s for s in run.read("eval/scores.json") or [] if s["set"] == graded["set"]), {})
    now = {name: system.get("answers") for name, system in scored.get("systems", {}).items()}
    return [name for name, then in (graded.get("answers") or {}).items() if now.get(name, then) != then]


def _rating(name: str, rated: dict[str, Any], judged: dict[str, Any]) -> str:
    parts = []
    for by, systems in (("people", rated), ("judge", judged)):
        if name in systems:
            acceptable = systems[name].get("acceptable")
            share = f"; {_score(acceptable, '%')} acceptable" if acceptable else ""
            parts.append(f"{by}: {_grades(systems[name])}{share}")
    return " | ".join(parts)


def _grades(counts: dict[str, Any]) -> str:
    return ", ".join(f"{grade} {counts[grade]}" for grade in "ABCD")


def agreement(run: RunFolder) -> Item:
    """Appendix B.2: two raters of the same answers."""
    people = run.read("eval/people.json")
    found = {} if people is None else people.get("agreement") or {}
    ends = found.get("intervals", {})
    lines = tuple(
        Line(what, f"{number:.2f}", "" if found.get(key) is None else shown_agreement(found[key], ends.get(key)))
        for key, what, number in paper.AGREEMENT
    )
    number = found.get("num_double")
    note = "The paper: two authors, all 252; section 4.4 gives the first as 0.57."
    if people is not None:
        raters = len(people["raters"])
        note += f" Ours: {raters} rater{'s' * (raters != 1)}, {number or 0:,} answers rated by two."
    missing = () if any(line.ours for line in lines) else (f"{run.command('annotate')}   (two people, the same tasks)",)
    return Item("Appendix B.2", "Agreement of the raters", lines, note, missing)


def size_and_quality(run: RunFolder) -> Item:
    """Figure 7: more data, and better outputs."""
    curve, distilled = run.read("scale/curve.json"), _overall(run.read("distill/eval/scores.json"), TASKS)
    points = {} if curve is None else {s["set"]: s for s in curve["sets"]}
    chosen = points.get(USER_ORIENTED) or points.get(TASKS)
    rows = chosen["points"] if chosen else []
    first, last = (rows[0], rows[-1]) if rows else (None, None)
    lines = [
        Line("Seeds alone", f"{paper.SIZE_SEEDS}% rated A ({paper.NUM_SEEDS})", _point(first)),
        *(Line(f"ours: {p['instructions']:,} instructions", "", _point(p)) for p in rows[1:-1]),
        Line("All data", f"{paper.SIZE_ALL}% rated A ({paper.NUM_INSTRUCTIONS:,})", _point(last)),
        Line("Almost flat from", paper.PLATEAU, _plateau(chosen)),
        Line(
            "Outputs by a better model",
            f"{paper.IMPROVED_OUTPUTS}% rated A",
            _score(distilled.get("relabelled outputs")),
        ),
        Line("The same data with its own outputs", f"{paper.SIZE_ALL}% rated A", _score(distilled.get("own outputs"))),
    ]
    note = "The paper: people's grade A on the 252."
    if rows or distilled:
        note += " Ours: ROUGE-L, so only the shape can be compared"
        note += f"; sizes on {chosen['set'].replace('_', '-')} tasks" if chosen else ""
        note += "; outputs on test tasks." if distilled else "."
    missing = [] if rows else [run.command("scale")]
    if not distilled:
        missing += [run.command("relabel", "--relabel.model.path A_BETTER_MODEL"), run.command("distill")]
    return Item("Figure 7", "Data size and data quality", tuple(lines), note, tuple(missing))


def _point(point: dict[str, Any] | None) -> str:
    return "" if point is None else f"{_score(point)} ({point['instructions']:,})"


def _plateau(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    size = found["plateau"]["num_instructions"]
    return "no plateau seen" if size is None else f"{size:,}"


def interface(run: RunFolder) -> Item:
    """Figure 9: what the raters see."""
    lines = (
        Line("Where raters grade", "a spreadsheet: order random, names hidden", "a local page: the same, keys A to D"),
    )
    return Item("Figure 9", "The raters' page", lines, f"To see it: {run.command('annotate')}")


def answers(run: RunFolder) -> Item:
    """Table 9: examples of answers with their grades."""
    there = (run.root / "report.html").is_file()
    lines = (
        Line("Answers to user-oriented tasks", "11 examples", "report.html, all systems side by side" if there else ""),
    )
    return Item("Table 9", "Answers with their grades", lines, missing=() if there else (run.command("eval"),))


def valid_and_invalid(run: RunFolder) -> Item:
    """Tables 10 and 11: generated tasks that are right and wrong."""
    there = (run.root / "candidates").is_dir()
    lines = (
        Line("Right ones", PICTURE.replace("picture", "list"), "dataset/README.md, drawn at random" if there else ""),
        Line("Rejected ones", "a list", "candidates/, each with its reason" if there else ""),
    )
    return Item("Tables 10, 11", "Valid and invalid tasks", lines, missing=() if there else (run.command("generate"),))


def _overall(sets: Any, name: str) -> dict[str, dict[str, Any]]:
    """Each system's ROUGE-L over all examples of a set."""
    found: dict[str, Any] = next((s for s in sets or [] if s["set"] == name), {"scores": []})
    return {
        row["system"]: row
        for row in found["scores"]
        if (row["kind"], row["metric"]) == ("overall", ROUGE_L) and row["against"] is None
    }


def _score(score: dict[str, Any] | None, unit: str = "") -> str:
    if not score:
        return ""
    return f"{score['value']:.1f}{unit} [{score['low']:.1f}, {score['high']:.1f}]"


def _source(run: RunFolder, name: str) -> str:
    evaluation = run.config.eval
    return shown_name((evaluation.user_oriented if name == USER_ORIENTED else evaluation.tasks) or "nothing named")
