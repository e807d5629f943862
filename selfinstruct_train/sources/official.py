"""The paper's own material: which files, at which commits, and how templates are read out of the released code.

Seed tasks, the 252 user-oriented tasks, the published predictions and the templates come from yizhongw/self-instruct,
the evaluation tasks from allenai/natural-instructions (only those of the default test split). The two Python files that
hold the templates are parsed, never run. None of it is part of this project; `selfinstruct data` gets it.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path

from ..core.storage import write_text
from .fetch import PinnedFile, Source, fetch_all

SELF_INSTRUCT = "yizhongw/self-instruct"
SELF_INSTRUCT_COMMIT = "0b26ccaa415992100fa32df62d41b994cf928e23"
NATURAL_INSTRUCTIONS = "allenai/natural-instructions"
NATURAL_INSTRUCTIONS_COMMIT = "b00871c954282e35d14de77c546918ee8b9d90da"
NUM_TEST_TASKS = 119
"""Of the default split: paper, section 4.3."""

TEMPLATES = "self-instruct/templates"
_PYTHON_FILES = {
    # file of templates -> (released file, name of the string in it)
    "classification": ("clf_task_template.py", "template_1"),
    "input_first": ("instance_gen_template.py", "input_first_template_for_gen"),
    "output_first": ("instance_gen_template.py", "output_first_template_for_clf"),
}
_PREDICTIONS = {
    "davinci": "29ebefae64941a53d296021d191462e7f1ec87c3112d5bf4971d62ba61b30730",
    "davinci-self-instruct": "d454d989d16567ba9ed2898940beb3bfced2887b8014a5b6f5fa7955e499a4b8",
    "davinci-self-instruct-and-superni-ft": "6aed46012920f7eb2f2779c329e5e06c57d59ed66235a40c155bcc62952ec89f",
    "davinci-superni-ft": "e38f88de443b3a567ffffb80312dba796fd3ccf227b63842e218a4517678e87d",
    "davinci-t0-ft": "346c6f6f24e126a1ca8c97593275558f4e83c0b36ed9125e4b7c2c9ac22200b2",
    "text-davinci-001": "0e5486cb74260ed10dfc43d6c26343c4bb98251401003b46ae3fca498305a94d",
    "text-davinci-002": "30e448059bb2c3aaf2926c93f97d967aa7523acdcaec08b2bbd36ea6b4e1e9f7",
    "text-davinci-003": "9fbf9229c917f2c832399e4d474f0ed1a4f367fae61e5eee814f3db687e0d584",
}


def self_instruct_files() -> list[PinnedFile]:
    """Seed tasks, the 252, eight prediction files, two files of templates."""
    human_eval = "human_eval/user_oriented_instructions.jsonl"
    files = {
        "seed_tasks.jsonl": (
            "data/seed_tasks.jsonl",
            "7779004fa198fdf27cf70a159363879d8a26c53329e11b436af17b3941875f48",
        ),
        human_eval: (human_eval, "81d60a117db495cecedecd9193504fd07c5b5a42f6699ef6b0f9da10fc22f42e"),
        "templates/clf_task_template.py": (
            "self_instruct/templates/clf_task_template.py",
            "9a6b3404ed4e61fb3d2b5b7e05233b29d76bad124206c3bd710b0fa9895b03fa",
        ),
        "templates/instance_gen_template.py": (
            "self_instruct/templates/instance_gen_template.py",
            "f167d341189a734186abe0938f52a21cfd229e10c7dec8dcd479a9fe323c101f",
        ),
    }
    for system, sha256 in _PREDICTIONS.items():
        path = f"human_eval/predictions/{system}_predictions.jsonl"
        files[path] = (path, sha256)
    return [
        PinnedFile(f"self-instruct/{path}", SELF_INSTRUCT, SELF_INSTRUCT_COMMIT, source, sha256, (f"official/{path}",))
        for path, (source, sha256) in files.items()
    ]


def split_file() -> PinnedFile:
    """The list of the 119 test tasks."""
    path = "splits/default/test_tasks.txt"
    sha256 = "8b2068c1e0c5e545abd1172fcf83b17935a791dae19912b5cf68e29355af3cba"
    return _natural_instructions(path, sha256)


def task_files(split: str) -> list[PinnedFile]:
    """The tasks that a split lists, pinned by the commit.

    Raises:
        ValueError: it does not list all of them.
    """
    names = [line.strip() for line in split.splitlines() if line.strip()]
    if len(names) != NUM_TEST_TASKS:
        raise ValueError(
            f"{split_file().path} lists {len(names)} tasks, not {NUM_TEST_TASKS}; delete it and give the same command "
            "again"
        )
    return [_natural_instructions(f"tasks/{name}.json", None) for name in names]


def get_official(data: Path, source: Source) -> tuple[list[Path], list[PinnedFile]]:
    """Bring all material into `data` and write the templates; return the files that runs name, and what is lacking.

    Raises:
        ValueError: a file cannot be had or is not the pinned one; what is there stays, and the same call goes on.
    """
    split = split_file()
    lacking = fetch_all([split], data, source)
    tasks = [] if lacking else task_files((data / split.path).read_text(encoding="utf-8"))
    fixed = self_instruct_files()
    lacking += fetch_all([*fixed, *tasks], data, source)
    absent = {file.path for file in lacking}
    ready = [data / file.path for file in fixed if file.path not in absent and not file.path.endswith(".py")]
    python_files = {name for name, _ in _PYTHON_FILES.values()}
    if not {f"{TEMPLATES}/{name}" for name in python_files} & absent:
        texts = {name: (data / TEMPLATES / name).read_text(encoding="utf-8") for name in sorted(python_files)}
        for name, text in extract_templates(texts).items():
            ready.append(write_text(data / TEMPLATES / f"{name}.txt", text + "\n"))
    if not lacking:
        ready.append(data / "natural-instructions")
    return ready, lacking


def extract_templates(python_files: Mapping[str, str]) -> dict[str, str]:
    """The few-shot texts by the names that a templates folder has, out of the source of the released files.

    Only strings assigned to a name at the top level are read; the code is not run.

    Raises:
        ValueError: a file is no Python, or has no such string.
    """
    found = {}
    for template, (file, name) in _PYTHON_FILES.items():
        strings = _assigned_strings(file, python_files[file])
        if name not in strings:
            raise ValueError(f"{file}: assigns no string to {name}; it has {', '.join(strings) or 'none'}")
        found[template] = strings[name]
    return found


def _assigned_strings(file: str, source: str) -> dict[str, str]:
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise ValueError(f"{file}: not Python ({error.msg} in line {error.lineno})") from error
    strings: dict[str, str] = {}
    for statement in statements:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            value = ast.literal_eval(statement.value)
            if isinstance(value, str):
                strings |= {target.id: value for target in statement.targets if isinstance(target, ast.Name)}
    return strings


def _natural_instructions(path: str, sha256: str | None) -> PinnedFile:
    return PinnedFile(
        f"natural-instructions/{path}",
        NATURAL_INSTRUCTIONS,
        NATURAL_INSTRUCTIONS_COMMIT,
        path,
        sha256,
        (f"natural_instructions/{path}",),
        None if sha256 else _check_task,
    )


def _check_task(content: bytes) -> None:
    """Raise ValueError unless this is a task in the v2 format."""
    try:
        task = json.loads(content)
    except ValueError as error:
        raise ValueError(f"not JSON ({error})") from None
    if not isinstance(task, dict) or not task.get("Definition") or not task.get("Instances"):
        raise ValueError("no Natural Instructions task with Definition and Instances")
