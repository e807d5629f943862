"""Is anything of the evaluation in a text? Definitions, and instances: an input with its answer.

A definition is looked for anywhere in the text. An instance of four words or more is found where its input is followed by one of its
outputs within a few words, whatever stands between. A shorter input ("hot") is bound to occur near its answer in prose, so there the
pair counts as fields: the input as a field of its own, the output as the next one, whatever the labels.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from tiny_world.kind import normalize

MIN_WORDS = 4
MAX_WORDS_BETWEEN = 6
_LABEL = re.compile(r"^\W*(?:\w+(?: \w+)?(?::| -|\.| =|>))?\s*")
_GAP = re.compile(r"\s*(?:\n+|->|=)\s*")


class Finder:
    """Looks for one evaluation set in many texts; building it once makes each text cheap."""

    def __init__(self, tasks: Iterable[dict[str, Any]]) -> None:
        """`tasks`: Natural Instructions dicts (Definition, Instances, Positive Examples)."""
        # first words -> (all words, the outputs' words or None for a definition, what it is)
        self._long: dict[tuple[str, ...], list[tuple[list[str], list[list[str]] | None, str]]] = defaultdict(list)
        self._pairs: dict[tuple[str, str], str] = {}
        for task in tasks:
            name = task["Name"]
            for definition in task["Definition"]:
                self._add(definition, None, f"{name}: definition")
            rows = [(i["input"], i["output"]) for i in task["Instances"]]
            rows += [(e["input"], [e["output"]]) for e in task["Positive Examples"]]
            for text, outputs in rows:
                if len(normalize(text).split()) >= MIN_WORDS:
                    self._add(text, [normalize(o).split() for o in outputs], f"{name}: {text!r}")
                else:
                    self._pairs |= {(normalize(text), normalize(o)): f"{name}: {text!r}" for o in outputs}

    def _add(self, text: str, outputs: list[list[str]] | None, what: str) -> None:
        words = normalize(text).split()
        self._long[tuple(words[:MIN_WORDS])].append((words, outputs, what))

    def find(self, text: str) -> Iterator[str]:
        """What of the evaluation set occurs in the text ("<task>: definition" or "<task>: <input>")."""
        words = normalize(text).split()
        for i in range(len(words) - MIN_WORDS + 1):
            for needle, outputs, what in self._long.get(tuple(words[i : i + MIN_WORDS]), ()):
                end = i + len(needle)
                if words[i:end] == needle and (outputs is None or _follows(outputs, words, end)):
                    yield what
        fields = [normalize(_LABEL.sub("", f)) for f in _GAP.split(text)]
        for pair in pairwise(fields):
            if pair in self._pairs:
                yield self._pairs[pair]


def _follows(outputs: list[list[str]], words: list[str], end: int) -> bool:
    return any(
        words[at : at + len(output)] == output for output in outputs for at in range(end, end + MAX_WORDS_BETWEEN + 1)
    )
