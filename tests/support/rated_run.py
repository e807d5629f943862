"""A run that was evaluated: 20 examples of 20 tasks, answered by the base and by a trained model.

The grades of both raters are planned by answer, so that whoever is shown an answer knows what to press. The plan, 40
answers in all (rows: ana, columns: ben), has equal margins, which keeps the sums by hand short:

         A   B   C   D
    A   10   2              12
    B    2   6   2          10
    C            6   2       8
    D        2       8      10
        12  10   8  10      40
"""

import json
from pathlib import Path

TUNED = ["AA"] * 10 + ["BB"] * 4 + ["AB"] * 2 + ["BA"] * 2 + ["BC"] * 2
BASE = ["DD"] * 8 + ["CC"] * 6 + ["BB"] * 2 + ["CD"] * 2 + ["DB"] * 2
SCRIPT = "<script>document.title='x'</script><img src=x onerror=\"document.title='x'\">"


def answer(system: str, row: int, planned: str) -> str:
    return SCRIPT if (system, row) == ("base", 0) else f"{system} says\n\n  {row} *{planned}* &amp; <b>"


ANSWERS = {
    "base": [answer("base", row, planned) for row, planned in enumerate(BASE)],
    "seeds": [answer("seeds", row, planned) for row, planned in enumerate(TUNED)],
}
PLAN = {
    text: dict(zip(("ana", "ben"), planned, strict=True))
    for system, plans in (("base", BASE), ("seeds", TUNED))
    for text, planned in zip(ANSWERS[system], plans, strict=True)
}


def make_run(folder: Path, answers: dict[str, list[str]]) -> list[str]:
    """Write tasks and predictions; return the settings of the run."""
    tasks, run = folder / "user_tasks.jsonl", folder / "run"
    rows = [
        {
            "id": f"user_task_{row}",
            "instruction": f"Do thing {row} <i>now</i>.",
            "instances": [{"input": f"  input {row}", "output": f"reference {row}"}],
        }
        for row in range(len(answers["base"]))
    ]
    tasks.parent.mkdir(parents=True, exist_ok=True)
    tasks.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    for system, texts in answers.items():
        path = run / "eval" / system / "user_oriented_predictions.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"id": r["id"], "prediction": t}) for r, t in zip(rows, texts, strict=True)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        if system != "base":
            (run / "model" / system).mkdir(parents=True, exist_ok=True)
            (run / "model" / system / "model.safetensors").write_bytes(b"")  # says that this model is there
    mixtures = json.dumps([s for s in answers if s != "base"])
    return ["--run_dir", str(run), "--eval.user_oriented", str(tasks), "--train.mixtures", mixtures]
