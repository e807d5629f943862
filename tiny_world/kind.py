"""What a kind of task is: its wordings, how to draw an example, and how the world judges an answer.

A wording is a natural instruction with alternatives and slots: "[Name|Give] {count} [animals|creatures] that live in
{habitat}." Brackets nest. `inline` wordings carry the input in the sentence as {input}; the input field is then empty.
`draw` gives an example, `judge` reviews any (input, output): is the input appropriate, is the output right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from random import Random

HELD_OUT_SHARE = 0.3


@dataclass(frozen=True)
class Example:
    """One drawn instance; `slots` are the values that the wording's {slots} take, `also` other right outputs."""

    input: str
    output: str
    slots: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The world's review of one instance."""

    input_ok: bool
    output_ok: bool


Draw = Callable[[Random], Example]
Judge = Callable[[str, str, Mapping[str, str]], Verdict]
# (input, slots) -> every right output, or None where the input does not fit the task
Solve = Callable[[str, Mapping[str, str]], Sequence[str] | None]


@dataclass(frozen=True)
class Kind:
    """A kind of task of the little world.

    `definition` is the formal text that only the evaluation and the training split use; a `far` kind is never worded as
    an instruction in any text, so it has no wordings. `labels` are a classification task's possible outputs.
    """

    name: str
    category: str
    definition: str
    draw: Draw
    judge: Judge
    wordings: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    far: bool = False

    def __post_init__(self) -> None:
        assert self.far or self.wordings or self.inline, f"{self.name}: no wording"
        assert not (self.far and (self.wordings or self.inline)), f"{self.name}: a far kind has no wording"

    @property
    def is_classification(self) -> bool:
        """True where the outputs are a small fixed set of labels."""
        return bool(self.labels)


_BETWEEN_WORDS = re.compile(r"[^\w']+")


def normalize(text: str) -> str:
    """Lower-case, words and digits only, single spaces: how answers are compared."""
    return _BETWEEN_WORDS.sub(" ", text.lower()).strip()


@dataclass(frozen=True)
class Rule:
    """A judge that knows every right answer."""

    solve: Solve

    def __call__(self, input: str, output: str, slots: Mapping[str, str]) -> Verdict:
        """Review one instance."""
        outputs = self.solve(input.strip(), slots)
        if outputs is None:
            return Verdict(False, False)
        return Verdict(True, normalize(output) in {normalize(o) for o in outputs})


def by_rule(draw_input: Callable[[Random], Example | str], solve: Solve) -> tuple[Draw, Judge]:
    """Make `draw` and `judge` from a rule that knows every right answer; the first one listed is the one drawn.

    `draw_input` returns an input, or an Example with slots (its output is ignored) for wordings with slots.
    """

    def draw(rng: Random) -> Example:
        drawn = draw_input(rng)
        example = drawn if isinstance(drawn, Example) else Example(drawn, "")
        outputs = solve(example.input, example.slots)
        assert outputs, f"the rule does not solve its own input {example.input!r} {dict(example.slots)}"
        return Example(example.input, outputs[0], example.slots, tuple(outputs[1:]))

    return draw, Rule(solve)


def lookup(table: Mapping[str, str | Sequence[str]]) -> tuple[Draw, Judge]:
    """Make `draw` and `judge` from a table input -> right output (or several, the first of which is drawn)."""
    keys = sorted(table)
    folded = {normalize(k): v for k, v in table.items()}

    def solve(input: str, slots: Mapping[str, str]) -> Sequence[str] | None:
        value = folded.get(normalize(input))
        return (value,) if isinstance(value, str) else value

    return by_rule(lambda rng: rng.choice(keys), solve)


def is_held_out(input: str, slots: Mapping[str, str] | None = None) -> bool:
    """True for the share of inputs that no training or pretraining text may contain: they are for evaluation.

    The text of the input decides, for all kinds alike; where a kind has no input, its slots do.
    """
    key = normalize(input) or "\x1f".join(f"{k}={v}" for k, v in sorted((slots or {}).items()))
    return int.from_bytes(sha256(key.encode()).digest()[:4], "big") / 2**32 < HELD_OUT_SHARE


def draw_example(kind: Kind, rng: Random, held_out: bool, tries: int = 400) -> Example:
    """Draw an example from the wanted side of the split.

    Raises:
        ValueError: the kind has too few inputs on that side.
    """
    for _ in range(tries):
        example = kind.draw(rng)
        if is_held_out(example.input, example.slots) == held_out:
            return example
    raise ValueError(f"{kind.name}: no {'held-out' if held_out else 'usable'} example in {tries} draws")


# --- the little language of wordings ---------------------------------------------------------------------------------

_SLOT = re.compile(r"\{(\w+)\}")


def expand(wording: str, rng: Random, slots: Mapping[str, str] | None = None) -> str:
    """Choose the alternatives of a wording and fill its slots."""
    text = wording
    while "[" in text:
        text = re.sub(r"\[([^\[\]]*)\]", lambda m: rng.choice(m.group(1).split("|")), text, count=1)
    text = _SLOT.sub(lambda m: (slots or {})[m.group(1)], text)
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r" ([.,?!:;])", r"\1", text)
    return text[:1].upper() + text[1:]


@cache
def pattern(wording: str, values: tuple[tuple[str, tuple[str, ...]], ...] = ()) -> re.Pattern[str]:
    """The regular expression that reads an instruction back; named groups are the slots.

    `values` are known values of slots: tried first, so that "{who} {task}" parts at the right word; any other text is read too.
    """
    known = {name: "|".join(re.escape(v) for v in sorted(texts, key=len, reverse=True)) for name, texts in values}
    out, seen = [], set()
    for token in re.findall(r"\{\w+\}|\[|\]|\||\w+|[^\w\s]|\s+", wording):
        if token == "[":
            out.append("(?:")
        elif token == "]":
            out.append(")")
        elif token == "|":
            out.append("|")
        elif token.startswith("{"):
            name = token[1:-1]
            out.append(
                f"(?P={name})" if name in seen else f"(?P<{name}>{known[name] + '|' if name in known else ''}.+?)"
            )
            seen.add(name)
        elif token.isspace() or re.fullmatch(r"[^\w\s]", token):
            out.append(r"[\s\W]*")
        else:
            out.append(re.escape(token))
    return re.compile(r"[\s\W]*" + "".join(out) + r"[\s\W]*", re.IGNORECASE)


@cache
def _slot_values(name: str, draw: Draw) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The values that a kind's slots took in many draws."""
    rng = Random(name)
    found: dict[str, dict[str, None]] = {}
    for _ in range(300):
        for slot, value in draw(rng).slots.items():
            found.setdefault(slot, {})[value] = None
    return tuple((slot, tuple(values)) for slot, values in found.items())


def read_back(instruction: str, kinds: Iterable[Kind]) -> list[tuple[Kind, dict[str, str]]]:
    """Find the kinds that this instruction words, with the values of its slots ({input} among them)."""
    found = []
    for kind in kinds:
        values = _slot_values(kind.name, kind.draw)
        for wording in (*kind.wordings, *kind.inline):
            match = pattern(wording, values).fullmatch(instruction)
            if match and (kind, match.groupdict()) not in found:
                found.append((kind, match.groupdict()))
    return found
