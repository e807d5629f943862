"""Rules for labels that need facts: true or false, yes or no, classes of things, grammar, same meaning, season."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

from tiny_world.kind import Draw, Judge, by_rule, expand, normalize, pattern
from tiny_world.phrases import lines, scene
from tiny_world.world import ANIMALS, COUNTRIES, FOODS, JOBS, MONTHS, PEOPLE, SEASONS, THINGS, TOWN_PLACES, article


class Relation(NamedTuple):
    """Templates of the statement and of the question, and the facts a -> b."""

    forms: tuple[str, str]
    facts: dict[str, str]


FACTS: dict[str, Relation] = {
    "group": Relation(
        ("[A|The] {a} is a kind of {b}.", "Is [a|the] {a} a kind of {b}?"), {k: v.group for k, v in ANIMALS.items()}
    ),
    "diet": Relation(
        ("[A|The] {a} eats {b}.", "Does [a|the] {a} eat {b}?"),
        {k: v.diet for k, v in ANIMALS.items() if v.diet != "both"},
    ),
    "legs": Relation(
        ("[A|The] {a} has {b} legs.", "Does [a|the] {a} have {b} legs?"),
        {k: ("no" if v.legs == 0 else {2: "two", 4: "four", 6: "six", 8: "eight"}[v.legs]) for k, v in ANIMALS.items()},
    ),
    "home": Relation(
        ("[A|The] {a} lives in the {b}.", "Does [a|the] {a} live in the {b}?"),
        {k: v.habitat for k, v in ANIMALS.items()},
    ),
    "young": Relation(
        ("The young of a {a} is called a {b}.", "Is the young of a {a} called a {b}?"),
        {k: v.young for k, v in ANIMALS.items()},
    ),
    "capital": Relation(
        ("{b} is the capital of {a}.", "Is {b} the capital of {a}?"), {k: v[0] for k, v in COUNTRIES.items()}
    ),
    "continent": Relation(
        ("{a} is [a country |]in {b}.", "Is {a} [a country |]in {b}?"), {k: v[1] for k, v in COUNTRIES.items()}
    ),
    "taste": Relation(
        ("[A|The] {a} tastes {b}.", "Does [a|the] {a} taste {b}?"),
        {k: v[2] for k, v in FOODS.items() if v[0] in ("fruit", "vegetable")},
    ),
    "work": Relation(
        ("[A|The] {a} works in a {b}.", "Does [a|the] {a} work in a {b}?"),
        {k: v[0] for k, v in JOBS.items() if " " not in v[0]},
    ),
    "made": Relation(
        ("[A|The] {a} is made of {b}.", "Is [a|the] {a} made of {b}?"), {k: v[0] for k, v in THINGS.items()}
    ),
}


def _solve_fact(sentence: str, which: int) -> bool | None:
    for row in FACTS.values():
        whole_words = pattern(row.forms[which]).pattern.replace(".+?", r"\b.+?\b")
        match = re.fullmatch(whole_words, re.sub(r"\b[Aa]n\b", "a", sentence), re.IGNORECASE)
        table = {normalize(k): normalize(v) for k, v in row.facts.items()}
        if match and normalize(match["a"]) in table:
            b = re.sub(r"^(?:a|the) ", "", normalize(match["b"]))
            return table[normalize(match["a"])] == b if b in table.values() else None
    return None


def _draw_fact(rng: Random, which: int) -> str:
    row = FACTS[rng.choice(sorted(FACTS))]
    a = rng.choice(sorted(row.facts))
    right = row.facts[a]
    wrong = [v for v in sorted(set(row.facts.values())) if v != right]
    text = expand(row.forms[which], rng, {"a": a, "b": right if rng.random() < 0.5 else rng.choice(wrong)})
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)


def fact_labels(which: int, yes: str, no: str) -> tuple[Draw, Judge]:
    def solve(input: str, slots: Mapping[str, str]) -> Sequence[str] | None:
        truth = _solve_fact(input, which)
        return None if truth is None else ((yes,) if truth else (no,))

    return by_rule(lambda rng: _draw_fact(rng, which), solve)


_ADJECTIVES = ("old", "small", "large", "nice", "new")
_PLANT_NAMES = (
    "rose oak tulip grass pine daisy fern moss lily cactus ivy palm sunflower willow clover birch maple orchid "
    "bush tree"
)
_PLANTS = _PLANT_NAMES.split()


def classes(table: Mapping[str, str], share: Sequence[str]) -> tuple[Draw, Judge]:
    """A word, plain or with an adjective ("an old lamp"), and its class; the labels are drawn equally often."""
    by_label = {label: sorted(k for k, v in table.items() if v == label) for label in share}

    def draw(rng: Random) -> str:
        word = rng.choice(by_label[rng.choice(list(share))])
        if word[0].isupper():
            return word
        phrase = f"{rng.choice(_ADJECTIVES)} {word}"
        return rng.choice((word, article(word), article(phrase), f"the {phrase}", f"my {phrase}"))

    def solve(input: str, slots: Mapping[str, str]) -> Sequence[str] | None:
        words = [w for w in normalize(input).split() if w not in {"a", "an", "the", "my", *_ADJECTIVES}]
        folded = {normalize(k): v for k, v in table.items()}
        label = folded.get(normalize(input)) or folded.get(" ".join(words))
        return None if label is None else (label,)

    return by_rule(draw, solve)


APT = {**dict.fromkeys(ANIMALS, "Animal"), **dict.fromkeys(_PLANTS, "Plant"), **dict.fromkeys(THINGS, "Thing")}
ALIVE = {k: "Not living" if v == "Thing" else "Living" for k, v in APT.items()}
PRODUCE = {k: v[0].capitalize() for k, v in FOODS.items() if v[0] in ("fruit", "vegetable")}
PPT = {**dict.fromkeys(PEOPLE, "Person"), **dict.fromkeys(JOBS, "Person"), **dict.fromkeys(COUNTRIES, "Place"),
        **{v[0]: "Place" for v in COUNTRIES.values()}, **dict.fromkeys(TOWN_PLACES, "Place"),
        **dict.fromkeys(THINGS, "Thing")}  # fmt: skip

_VERBS = (
    "walk",
    "run",
    "play",
    "sleep",
    "sing",
    "read",
    "cook",
    "work",
    "swim",
    "dance",
    "eat",
    "drink",
    "help",
    "live",
)
_WHERE = ("in the {place}", "near the {place}", "every {day}", "with {name2}", "all day", "at the {place} on {day}")


def draw_grammar(rng: Random) -> str:
    values = scene(rng)
    many = rng.random() < 0.5
    who = rng.choice(("They", "We", "The children", f"{values['name']} and {values['name2']}") if many
                     else ("He", "She", "My brother", values["name"]))  # fmt: skip
    verb = rng.choice(_VERBS)
    right = rng.random() < 0.5
    return expand(f"{who} {verb if many == right else verb + 's'} {rng.choice(_WHERE)}.", rng, values)


def grammar(input: str, slots: Mapping[str, str]) -> Sequence[str] | None:
    words = normalize(input).split()
    for at, word in enumerate(words[:6]):
        base = word[:-1] if word.endswith("s") and word[:-1] in _VERBS else word
        if base in _VERBS and at:
            before = words[:at]
            many = "and" in before or before[-1] in ("they", "we", "i", "you") or before[-1] in ("children", "people")
            return ("Correct",) if many == (base == word) else ("Incorrect",)
    return None


_SYNONYMS = {"big": "large", "quick": "fast", "happy": "glad", "began": "started", "tiny": "small", "house": "home",
             "shut": "closed", "sick": "ill", "present": "gift", "bicycle": "bike", "clever": "smart",
             "bought": "purchased"}  # fmt: skip
_PAIRS = lines("""
{name} [bought|lost|found] a [big|tiny] {thing}.
The [quick|clever|happy|sick] {job} [began|wanted] to [work|sing].
{name} shut the {colour} door of the [house|{place}].
{name} gave {name2} a [big|tiny|new] present.
{name} rode a [quick|big|{colour}] bicycle to the {place}.
The [big|tiny|happy|clever] {animal} was [quick|sick].
""")


def _meaning(sentence: str) -> list[str]:
    return [_SYNONYMS.get(w, w) for w in normalize(sentence).split()]


def draw_pair(rng: Random) -> str:
    values = scene(rng)
    first = expand(rng.choice(_PAIRS), rng, values)
    words = first.split(" ")
    known = [i for i, w in enumerate(words) if w.strip(".") in _SYNONYMS]
    if not known:
        return draw_pair(rng)
    if rng.random() < 0.5:
        at = rng.choice(known)
        words[at] = words[at].replace(words[at].strip("."), _SYNONYMS[words[at].strip(".")])
        return f"{first} {' '.join(words)}"
    others = [v for k, v in values.items() if k in ("name", "place", "animal", "job", "thing") and v in first]
    old = rng.choice(others)
    key = next(k for k, v in values.items() if v == old)
    fresh = scene(rng)[key]
    second = first.replace(values[key], fresh)
    return f"{first} {second}" if second != first else draw_pair(rng)


def same_meaning(input: str, slots: Mapping[str, str]) -> Sequence[str] | None:
    parts = [p for p in re.split(r"(?<=[.!?])\s+", input) if p.strip()]
    if len(parts) != 2 or normalize(parts[0]) == normalize(parts[1]):
        return None
    return ("Same",) if _meaning(parts[0]) == _meaning(parts[1]) else ("Different",)


def draw_season(rng: Random) -> str:
    name, month = rng.choice(PEOPLE), rng.choice(MONTHS)
    return expand(
        rng.choice(
            lines("""
{name} was born in {month}.
The [wedding|party|race|school fair] is in {month}.
We [travel|moved|flew] to {country} in {month}.
In {month} {name} visits {city}.
{name} [plays|learns] {sport} in {month}.
""")
        ),
        rng,
        {**scene(rng), "name": name, "month": month},
    )


def season_of(input: str, slots: Mapping[str, str]) -> Sequence[str] | None:
    found = [s for s, months in SEASONS.items() for m in months.split() if m.lower() in normalize(input).split()]
    return (found[0].capitalize(),) if len(set(found)) == 1 else None
