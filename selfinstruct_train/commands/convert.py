"""`selfinstruct convert`: training sets from Natural Instructions' training tasks, or from P3 (T0)."""

from __future__ import annotations

from .verb import Call, Verb


def run(call: Call) -> None:
    from selfinstruct_eval.tasks import BUILTIN_TINY

    from ..dataset.convert import convert, write_converted

    given = dict(call.options)
    out, sources = given.pop("out"), [str(BUILTIN_TINY) if s == "builtin:tiny" else s for s in given.pop("source")]
    converted = convert(given.pop("kind"), sources, **given)
    files = write_converted(out, converted)

    skipped = "".join(f", {count:,} left out ({reason})" for reason, count in converted.skipped.items())
    print(
        f"{len(converted.rows):,} rows of {converted.num_tasks:,} tasks; {converted.num_read:,} instances read{skipped}"
    )
    for path in files:
        print(path)


VERB = Verb(
    summary="Make a training set from Natural Instructions' training tasks, or from P3.",
    example="selfinstruct convert superni natural-instructions-master.zip --out data/superni",
    run=run,
    options={
        "kind": {"choices": ("superni", "p3"), "help": "Natural Instructions v2; or rows of P3, promptsource, "
                 "prompt and completion, or Tk-Instruct"},
        "source": {"nargs": "+", "help": "superni: one folder, zip, tar, hub:owner/name, or builtin:tiny; p3: files, "
                   "folders, or hub:owner/name[:configuration][@revision]"},
        "--out": {"required": True, "metavar": "FOLDER", "help": "folder of the training set"},
        "--split": {"help": "superni: which split's lists; without it default"},
        "--part": {"choices": ("train", "excluded", "test"), "help": "superni: the list <part>_tasks.txt; without it "
                   "train"},
        "--test-tasks": {"metavar": "LIST", "help": "p3: list of tasks that may not get in; needed where rows name "
                         "their tasks"},
        "--max-per-task": {"type": int, "help": "instances of a task; without it 100 of superni, all of p3"},
        "--max-rows": {"type": int, "default": 50_000, "help": "of all tasks (50,000: paper, section 4.2)"},
        "--num-positive-examples": {"type": int, "default": 0, "help": "worked examples after a definition"},
        "--seed": {"type": int, "default": 42, "help": "of the draws"},
    },
)  # fmt: skip
