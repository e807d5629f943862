"""Edits of the words of a sentence, each with the rule that judges it: adjectives, joining, mistakes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from random import Random

from tiny_world.kind import Draw, Example, Judge, Verdict, by_rule, normalize
from tiny_world.kinds.sentence_words import ADJECTIVES, BOXES, CLOTHES, OPPOSITES, VERBS, conjugate, past, plural, third
from tiny_world.kinds.sentences import draw_sentence, finish, lower_first, parse, render, words
from tiny_world.world import ANIMALS, COLOURS, FOODS, JOBS, PEOPLE, THINGS, VEHICLES

Slots = Mapping[str, str]
OPPOSITE_OF: dict[str, list[str]] = {}
for _a, _b in OPPOSITES.items():
    OPPOSITE_OF.setdefault(_a, []).append(_b)
    OPPOSITE_OF.setdefault(_b, []).append(_a)
DESCRIBED = {"kinds": ("thing", "animal", "clothes", "vehicle")}


def solved(draw: Callable[[Random], str], solve: Callable[[str, Slots], Sequence[str] | None]) -> tuple[Draw, Judge]:
    """Draw until the rule solves the text."""

    def draw_input(rng: Random) -> str:
        while not solve(text := draw(rng), {}):
            pass
        return text

    return by_rule(draw_input, solve)


def exactly(draw: Callable[[Random], str], solve: Callable[[str], str | None]) -> tuple[Draw, Judge]:
    """As `solved`, but capitals and marks count; there is one right output."""

    def judge(input: str, output: str, slots: Slots) -> Verdict:
        right = solve(input.strip())
        return Verdict(right is not None, right is not None and output.strip() == right)

    return solved(draw, lambda text, slots: [r] if (r := solve(text)) else None)[0], judge


def drawn(**need: object) -> Callable[[Random], str]:
    """A writer of sentences."""
    return lambda rng: render(draw_sentence(rng, **need))  # type: ignore[arg-type]


def articles(text: str) -> str:
    """The text with a and an where they belong."""
    return re.sub(r"\b([Aa])n? (?=(\w))", lambda m: f"{m[1]}{'n' if m[2].lower() in 'aeiou' else ''} ", text)


def described(text: str) -> str | None:
    """The only adjective of a text."""
    found = [w for w in words(text) if w in ADJECTIVES or w in COLOURS]
    return found[0] if len(found) == 1 and parse(text) else None


def no_adjective(text: str, slots: Slots) -> list[str] | None:
    """The text without its adjective."""
    word = described(text)
    return [articles(re.sub(rf"\b{word} ", "", text))] if word and re.search(rf"\b{word} \w", text) else None


def other_colour(text: str, slots: Slots) -> list[str] | None:
    """The text with every other colour; which comes first depends on the text."""
    found = [w for w in words(text) if w in COLOURS]
    if len(found) != 1:
        return None
    i = (COLOURS.index(found[0]) + len(text)) % len(COLOURS)
    return [articles(re.sub(rf"\b{found[0]}\b", c, text)) for c in COLOURS[i:] + COLOURS[:i] if c != found[0]]


def opposite_adjective(text: str, slots: Slots) -> list[str] | None:
    """The text with the opposite of its adjective."""
    word = described(text)
    return [articles(re.sub(rf"\b{word}\b", o, text)) for o in OPPOSITE_OF.get(word, [])] or None if word else None


def more_adjective() -> tuple[Draw, Judge]:
    """Add one adjective somewhere before a noun."""

    def draw(rng: Random) -> Example:
        draw_full, _ = solved(drawn(**DESCRIBED), no_adjective)
        example = draw_full(rng)
        return Example(example.output, example.input)

    def judge(input: str, output: str, slots: Slots) -> Verdict:
        fits = bool(parse(input)) and bool(parse(input).object)  # type: ignore[union-attr]
        source, said = normalize(input), words(output.lower())
        right = any(
            w in (*ADJECTIVES, *COLOURS) and normalize(articles(" ".join(said[:i] + said[i + 1 :]))) == source
            for i, w in enumerate(said[:-1])
        )
        return Verdict(fits, fits and right)

    return draw, judge


def two(text: str) -> list[str] | None:
    """Two statements, without their full stops."""
    found = [s.strip() for s in text.strip().rstrip(".").split(". ")]
    return found if len(found) == 2 and all(parse(s) and " " in s for s in found) else None


def joined(word: str) -> Callable[[str, Slots], list[str] | None]:
    """Two sentences as one."""

    def solve(text: str, slots: Slots) -> list[str] | None:
        found = two(text)
        return [f"{found[0]}{mark} {word} {lower_first(found[1])}." for mark in ("", ",")] if found else None

    return solve


def split(text: str) -> str | None:
    """A sentence joined by and or but, as two."""
    halves = re.split(r",? (?:and|but) ", text.strip().rstrip("."))
    ways = [(" and ".join(halves[:i]), " and ".join(halves[i:])) for i in range(1, len(halves))]
    ways = [(a, b) for a, b in ways if parse(a) and parse(finish(b, "")) and _starts_clause(b)]
    return f"{ways[0][0]}. {finish(ways[0][1])}" if len(ways) == 1 else None


def _starts_clause(text: str) -> bool:
    return len(text.split()) > 1 and parse(finish(text, "")) is not None


def draw_pair(rng: Random) -> str:
    """Two short statements."""
    tense = rng.choice(["past", "present", "future"])
    text = ""
    while not 5 <= len(text.split()) <= 14:
        text = " ".join(render(draw_sentence(rng, tense=tense)) for _ in range(2))
    return text


def draw_cause(rng: Random) -> str:
    """A fact and its reason as two sentences."""
    s = draw_sentence(rng, ("reason",))
    text = render(s).rstrip(".")
    return f"{text.split(' because ')[0]}. {finish(s.reason)}"


def draw_joined(rng: Random) -> str:
    """Two statements with and or but."""
    return joined(rng.choice(["and", "but"]))(draw_pair(rng), {})[0]  # type: ignore[index]


_WRONG_PAST = {w: past(v) for v in VERBS for w in (v + "ed", v + "d") if w != past(v)}


def grammar(text: str, slots: Slots) -> list[str] | None:
    """The only repair of one wrong verb form or article."""
    tokens = text.strip().rstrip(".").split()
    if articles(text) != text:
        return [articles(text)] if parse(articles(text)) else None
    if parse(text):
        return None
    for i, token in enumerate(tokens):
        for form in _repairs(token, tokens[i - 1] if i else ""):
            fixed = finish(" ".join([*tokens[:i], form, *tokens[i + 1 :]]))
            if parse(fixed):
                return [fixed]
    return None


def _repairs(token: str, before: str) -> list[str]:
    if token in _WRONG_PAST:
        return [_WRONG_PAST[token]]
    for verb in VERBS:
        if token in (verb, third(verb), past(verb)) and before == "will":
            return [verb]
        if token in (verb, third(verb)):
            return [third(verb) if token == verb else verb]
    return {"is": ["are"], "are": ["is"], "was": ["were"], "were": ["was"], "have": ["has"], "has": ["have"]}.get(
        token, []
    )


def break_grammar(rng: Random) -> str:
    """A sentence with one mistake."""
    s = draw_sentence(rng)
    text, form = render(s), conjugate(s.verb, s.tense, s.subject)
    future = f"will {rng.choice([past(s.verb), third(s.verb)])}"
    wrong = {
        "past": s.verb + ("d" if s.verb.endswith("e") else "ed"),
        "future": future,
        "present": third(s.verb) if form == s.verb else s.verb,
    }[s.tense]
    if rng.random() < 0.25 and re.search(r"\ban? ", text):
        return re.sub(r"\b(an?) (?=\w)", lambda m: "a " if m[1] == "an" else "an ", text, count=1)
    return text.replace(f" {form}", f" {wrong}", 1)


@cache
def vocabulary() -> frozenset[str]:
    """The words that are spelt right."""
    nouns = [*ANIMALS, *FOODS, *JOBS, *THINGS, *VEHICLES, *CLOTHES, *BOXES]
    found = {w.lower() for n in nouns for w in [*n.split(), *plural(n).split()]}
    rng = Random(0)
    for _ in range(6000):
        found |= {
            w.lower() for w in words(render(draw_sentence(rng, rng.choice([("place", "time"), ("reason",), ()]))))
        }
    return frozenset(found)


def near_words(word: str) -> list[str]:
    """The known words at one slip of the pen: a letter doubled, left out, changed or two exchanged."""
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    letters = "abcdefghijklmnopqrstuvwxyz"
    tries = [a + b[1:] for a, b in cuts if b] + [a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1]
    tries += [a + c + b for a, b in cuts for c in letters] + [a + c + b[1:] for a, b in cuts if b for c in letters]
    return sorted({t for t in tries if t in vocabulary()})


def spelling(text: str, slots: Slots) -> list[str] | None:
    """The text with its one misspelt word put right."""
    wrong = [w for w in words(text) if w.lower() not in vocabulary() and w not in PEOPLE and w.isalpha()]
    right = near_words(wrong[0].lower()) if len(wrong) == 1 else []
    return [finish(text.replace(wrong[0], r).rstrip(".")) for r in right] if len(right) == 1 else None


def misspell(rng: Random) -> str:
    """A sentence with a slip of the pen."""
    text = render(draw_sentence(rng))
    word = rng.choice([w for w in words(text) if len(w) > 3 and w.islower()] or [""])
    if not word:
        return text
    i = rng.randrange(1, len(word) - 1)
    swapped, doubled = word[:i] + word[i + 1] + word[i] + word[i + 2 :], word[:i] + word[i] + word[i:]
    slip = rng.choice([swapped, doubled, word[:i] + word[i + 1 :]])
    return re.sub(rf"\b{word}\b", slip, text, count=1)
