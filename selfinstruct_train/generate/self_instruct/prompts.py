"""The prompts of the three stages that ask a model.

Stage 1 shows numbered instructions and lets the model go on numbering. Stages 2 and 3 put the new instruction after a
few-shot text read from a folder of templates, so the long text is the same for every request and a backend can run it
once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...core.paper_material import how_to_get

# The two header lines and the numbering are the released code's format (bootstrap_instructions.py, encode_prompt).
_HEADER = "Come up with a series of tasks:"
_CLASSIFICATION_HEADER = (
    "Come up with a series of classification tasks. Try to specify the possible output labels when possible."
)
_LAST_WORD = "Task:"


@dataclass(frozen=True)
class Templates:
    """The few-shot texts of stages 2 and 3; each ends with "Task:"."""

    classification: str
    input_first: str
    output_first: str


def instruction_prompt(instructions: Sequence[str], classification: bool = False) -> str:
    """Number the instructions under a header and open the next number, for the model to go on."""
    lines = [_CLASSIFICATION_HEADER if classification else _HEADER]
    for number, instruction in enumerate(instructions, start=1):
        one_line = re.sub(r"\s+", " ", instruction).strip().rstrip(":")
        lines.append(f"{number}. {one_line}")
    lines.append(f"{len(instructions) + 1}.")
    return "\n".join(lines)


def classification_prompt(templates: Templates, instruction: str) -> str:
    """Ask whether the instruction is a classification task; the answer is Yes or No."""
    return f"{templates.classification} {instruction.strip()}\nIs it classification?"


def instance_prompt(templates: Templates, instruction: str, is_classification: bool) -> str:
    """Ask for instances: label first for a classification task (else labels are one-sided), input first otherwise."""
    template = getattr(templates, template_name(is_classification))
    return f"{template} {instruction.strip()}\n"


def template_name(is_classification: bool) -> str:
    """Return the field of `Templates` that stage 3 shows for such an instruction."""
    return "output_first" if is_classification else "input_first"


def read_templates(folder: str | Path) -> Templates:
    """Read classification.txt, input_first.txt and output_first.txt; white space at a file's end is dropped.

    Raises:
        ValueError: a file is absent, is not UTF-8, or does not end with "Task:".
    """
    return Templates(*(_read_template(Path(folder) / f"{name}.txt") for name in Templates.__dataclass_fields__))


def _read_template(path: Path) -> str:
    if not path.is_file():
        known = f"{remedy}; " if (remedy := how_to_get(path)) else ""
        raise ValueError(
            f"{path}: no such template; {known}generate.templates must be a folder with classification.txt, "
            "input_first.txt and output_first.txt, or builtin:english"
        )
    try:
        text = path.read_text(encoding="utf-8").rstrip()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8") from None
    if not text.endswith(_LAST_WORD):
        raise ValueError(f'{path}: ends with {text[-20:]!r}; it must end with "{_LAST_WORD}", where the new task goes')
    return text
