"""Helpers for kinds whose sentences are composed from templates: scenes, labelled sentences, open writing.

A template is written in the little language of wordings (see kind.py): "{name} [loves|likes] the {place}.".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from random import Random

from tiny_world.kind import Draw, Example, Judge, Kind, Verdict, expand, normalize
from tiny_world.world import (
    ANIMALS,
    COLOURS,
    COUNTRIES,
    DAYS,
    FOODS,
    JOBS,
    MONTHS,
    NUMBER_WORDS,
    PEOPLE,
    SPORTS,
    THINGS,
    TOWN_PLACES,
)

_PLAIN = (
    "that this with from have will they them then there were what when your very just been into than some please "
    "about after again also before could would their these today here only more most much must need over said "
    "does doing went going come came told every once still while where which"
)
PLAIN_WORDS = frozenset(_PLAIN.split())
_MASS = (
    "spinach cabbage garlic rice bread pasta corn milk cheese butter yogurt cream beef ham chicken cake honey jam "
    "chocolate tea coffee water juice"
)
MASS_FOODS = tuple(_MASS.split())
COUNTED_FOODS = tuple(f for f in FOODS if f not in MASS_FOODS and f != "oats")


def lines(text: str) -> tuple[str, ...]:
    """The lines of a block of text, stripped."""
    return tuple(line.strip() for line in text.strip().splitlines() if line.strip())


def with_an(text: str) -> str:
    """The text with an before a vowel: "a owl" -> "an owl"."""
    return re.sub(r"\b([Aa]) (?=[aeiouAEIOU])(?!one\b|use)", r"\1n ", text)


def scene(rng: Random) -> dict[str, str]:
    """A random value for every slot that a template may name."""
    name, name2 = rng.sample(PEOPLE, 2)
    country = rng.choice(sorted(COUNTRIES))
    return {
        "name": name, "name2": name2, "place": rng.choice(TOWN_PLACES), "day": rng.choice(DAYS),
        "month": rng.choice(MONTHS), "animal": rng.choice(sorted(ANIMALS)), "food": rng.choice(MASS_FOODS),
        "thing": rng.choice(sorted(THINGS)), "job": rng.choice(sorted(JOBS)), "sport": rng.choice(SPORTS),
        "colour": rng.choice(COLOURS), "country": country, "city": COUNTRIES[country][0],
        "n": rng.choice(NUMBER_WORDS[2:13]),
    }  # fmt: skip


def words_of(text: str) -> list[str]:
    """The words of a text, lower-cased."""
    return normalize(text).split()


def cue_words(templates: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The words that only one label's templates use -> that label."""
    owners: dict[str, set[str]] = {}
    for label, texts in templates.items():
        for text in texts:
            for word in words_of(re.sub(r"\{\w+\}", " ", text)):
                owners.setdefault(word, set()).add(label)
    return {w: min(o) for w, o in owners.items() if len(o) == 1 and len(w) > 3 and w not in PLAIN_WORDS}


def voted(texts: Mapping[str, str]) -> tuple[Draw, Judge]:
    """Make `draw` and `judge` for labelled sentences: the label is that of the templates whose words it has."""
    templates = {label: lines(text) for label, text in texts.items()}
    cues = cue_words(templates)

    def label_of(sentence: str) -> str | None:
        votes = Counter(cues[w] for w in words_of(sentence) if w in cues).most_common(2)
        if not votes or (len(votes) == 2 and votes[0][1] < 2 * votes[1][1]):
            return None
        return votes[0][0]

    def draw(rng: Random) -> Example:
        while True:
            label = rng.choice(sorted(templates))
            sentence = with_an(expand(rng.choice(templates[label]), rng, scene(rng)))
            if label_of(sentence) == label:
                return Example(sentence, label)

    def judge(input: str, output: str, slots: Mapping[str, str]) -> Verdict:
        label = label_of(input)
        return Verdict(label is not None, label is not None and normalize(output) == normalize(label))

    return draw, judge


def content_words(value: str) -> list[str]:
    """The words of a slot value that a text about it should mention, cut to their stems."""
    small = {"a", "an", "the", "of", "to", "in", "on", "at", "with", "for", "and", "who", "that", "my", "your", "is"}
    return [w[: max(4, len(w) - 3)] for w in words_of(value) if w not in small]


def mentions(text: str, value: str) -> bool:
    """True where at least half of the value's words (or their stems) are in the text."""
    found = words_of(text)
    stems = content_words(value)
    hits = sum(any(word.startswith(stem) for word in found) for stem in stems)
    return not stems or 2 * hits >= len(stems)


def written(
    make: Callable[[Random], tuple[Mapping[str, str], str]],
    shortest: int = 4,
    longest: int = 45,
    needs: Sequence[str] | None = None,
    check: Callable[[str, Mapping[str, str]], bool] | None = None,
) -> tuple[Draw, Judge]:
    """Make `draw` and `judge` of open writing; `make` gives the slots and a text.

    The judge wants a text of a fitting length that ends as a sentence, mentions the values of the slots `needs`
    (None: of all slots), does not repeat a sentence and passes `check`.
    """

    def draw(rng: Random) -> Example:
        slots, text = make(rng)
        return Example("", text, slots)

    def judge(input: str, output: str, slots: Mapping[str, str]) -> Verdict:
        asked = {k: v for k, v in slots.items() if k != "input"} or {"input": input}
        input_ok = all(v.strip() and len(v.split()) <= 8 for v in asked.values())
        parts = [p for p in (normalize(s) for s in re.split(r"[.!?\n]", output)) if p]
        good = (
            shortest <= len(output.split()) <= longest
            and output.rstrip().endswith((".", "!", "?"))
            and len(parts) == len(set(parts))
            and all(mentions(output, v) for k, v in asked.items() if needs is None or k in needs)
            and (check is None or check(output, asked))
        )
        return Verdict(input_ok, input_ok and good)

    return draw, judge


def told(templates: str, rng: Random, slots: Mapping[str, str] | None = None) -> str:
    """One of the templates (a line each), expanded over a scene in which `slots` are fixed."""
    return with_an(expand(rng.choice(lines(templates)), rng, {**scene(rng), **(slots or {})}))


def paragraph(templates: str, rng: Random, count: int = 4) -> str:
    """Some of the templates, each over its own scene: plain prose."""
    chosen = lines(templates)
    return " ".join(with_an(expand(t, rng, scene(rng))) for t in rng.sample(chosen, min(count, len(chosen))))


def worded(name: str, category: str, made: tuple[Draw, Judge], text: str, inline: str = "", labels: str = "") -> Kind:
    """A kind from a text whose first paragraph is the definition; the other lines are the wordings, if any."""
    definition, _, wordings = text.strip().partition("\n\n")
    return Kind(
        name,
        category,
        " ".join(definition.split()),
        *made,
        lines(wordings),
        lines(inline),
        tuple(labels.split(",")) if labels else (),
        far=not wordings.strip(),
    )
