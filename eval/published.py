"""The systems whose answers to the 252 user-oriented tasks the paper's authors published, by their names in the paper.

`selfinstruct data` puts the eight files into the folder `predictions` beside user_oriented_instructions.jsonl; what
is there is read, and nothing is downloaded here. They are scored like any other system, by their answers alone.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from selfinstruct_train.config import EvalConfig
from selfinstruct_train.core.names import USER_ORIENTED

from .examples import Example
from .external import read_predictions

logger = logging.getLogger(__name__)

# released file of yizhongw/self-instruct, human_eval/predictions -> name in figure 6 of the paper
PUBLISHED = {
    "davinci": "GPT3",
    "davinci-t0-ft": "GPT3+T0",
    "davinci-superni-ft": "GPT3+SuperNI",
    "davinci-self-instruct": "GPT3-SelfInst",
    "davinci-self-instruct-and-superni-ft": "GPT3-SelfInst+SuperNI",
    "text-davinci-001": "InstructGPT-001",
    "text-davinci-002": "InstructGPT-002",
    "text-davinci-003": "InstructGPT-003",
}
SET = USER_ORIENTED
"""The only set they answered."""


def refuse_names(setting: str, names: Iterable[str]) -> None:
    """Refuse a published system's name for another one: the two may stand in one table."""
    for name in names:
        if name in PUBLISHED.values():
            raise ValueError(f"{setting}: {name!r} is the name of a published system; choose another")


def find_published(config: EvalConfig) -> dict[str, Path]:
    """Return the file of each published system that is there, by name in the paper's order.

    Raises:
        ValueError: `eval.published` names a folder that holds none, or there are no tasks they could answer.
    """
    if config.published is None:
        if config.user_oriented is None or config.user_oriented.startswith("builtin:"):
            return {}
        folder = Path(config.user_oriented).parent / "predictions"
    else:
        if config.user_oriented is None:
            raise ValueError("eval.published is set, but eval.user_oriented, which its answers belong to, is not")
        folder = Path(config.published)
    files = {name: folder / f"{stem}_predictions.jsonl" for stem, name in PUBLISHED.items()}
    found = {name: file for name, file in files.items() if file.is_file()}
    if config.published is not None and not found:
        raise ValueError(
            f"{folder}: holds no published predictions; eval.published names a folder with "
            f"{next(iter(files.values())).name} or others of the eight"
        )
    return found


def read_published(config: EvalConfig, examples: Sequence[Example]) -> dict[str, list[str]]:
    """Return each published system's answers in the order of `examples`, the user-oriented tasks.

    Where `eval.published` names no folder, a file beside tasks that it does not answer is left out with a warning.

    Raises:
        ValueError: a file in the folder that `eval.published` names does not answer exactly these.
    """
    answers = {}
    for name, file in find_published(config).items():
        try:
            answers[name] = read_predictions(str(file), {SET: examples})[1]
        except ValueError as error:
            if config.published is not None:
                raise
            logger.warning("%s is left out: %s", name, error)
    return answers
