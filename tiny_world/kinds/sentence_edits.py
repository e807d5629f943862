"""Edits of the grammar of a sentence: tense, question, number, person, passive, speech; each reads what it edits."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

from tiny_world.kind import Draw, Judge, by_rule
from tiny_world.kinds.sentence_words import be, is_plural, plural, subject_pronoun
from tiny_world.kinds.sentences import Sentence, draw_sentence, finish, lower_first, names_in, parse, question, render
from tiny_world.world import PEOPLE

PROSE: list[Callable[[Random], str]] = []
_PERSONAL = ("i", "he", "she", "it", "they", "we", "you")
_TIME_WORD = {"past": "yesterday|last", "future": "tomorrow|next|tonight|soon", "present": "every"}


def change(edit: Callable[[Sentence], Sequence[str]], **need: object) -> tuple[Draw, Judge]:
    """Draw a sentence that can be edited so, and judge by reading and editing it; the edit changes the sentence."""

    def solve(input: str, slots: object) -> Sequence[str] | None:
        s = parse(input)
        found = edit(s) if s else []
        return [f for f in found if f != input] or None

    def draw_input(rng: Random) -> str:
        while True:
            text = render(draw_sentence(rng, **need))  # type: ignore[arg-type]
            if solve(text, {}):
                return text

    return by_rule(draw_input, solve)


def to_tense(tense: str) -> Callable[[Sentence], list[str]]:
    """The sentence in another tense, where its time allows that."""
    wrong = re.compile("|".join(v for k, v in _TIME_WORD.items() if k not in (tense, "present")))

    def edit(s: Sentence) -> list[str]:
        if s.tense == tense or s.reason or wrong.match(s.time) or (tense != "present" and s.time.startswith("this")):
            return []
        return [render(replace(s, tense=tense))]

    return edit


def to_pronoun(s: Sentence) -> list[str]:
    """The subject as a pronoun."""
    if s.subject.lower() in _PERSONAL or s.reason:
        return []
    return [render(replace(s, subject=p.capitalize())) for p in subject_pronoun(s.subject)]


def to_plural(s: Sentence) -> list[str]:
    """A subject with the, in the plural, and its verb."""
    if not s.subject.lower().startswith("the ") or is_plural(s.subject) or s.reason:
        return []
    return [render(replace(s, subject=plural(s.subject)))]


def to_first_person(s: Sentence) -> list[str]:
    """The sentence told by the one who acts."""
    if s.subject.lower() in ("i", "we") or s.reason or is_plural(s.subject):
        return []
    return [render(replace(s, subject="I"))]


def time_moved(s: Sentence) -> list[str]:
    """The time at the other end."""
    return [render(replace(s, time_first=not s.time_first))] if s.time and not s.reason else []


def short(s: Sentence) -> list[str]:
    """Subject and verb alone."""
    bare = Sentence(s.subject, s.verb, s.tense)
    return [render(bare)] if bare != s and s.verb not in ("be", "have") else []


def command(s: Sentence) -> list[str]:
    """The imperative."""
    if s.verb in ("be", "have") or s.time or s.reason:
        return []
    rest = render(replace(s, subject="They", tense="present"))
    return [finish(rest.removeprefix("They ").rstrip(".")), finish(rest.removeprefix("They ").rstrip("."), "!")]


def participle(verb: str) -> str:
    """The form with have and was, where it is known."""
    return _PARTICIPLES.get(verb, "")


_PARTICIPLES = dict(
    pair.split(":")
    for pair in [
        "buy:bought",
        "see:seen",
        "make:made",
        "eat:eaten",
        "drink:drunk",
        "find:found",
        "lose:lost",
        "carry:carried",
        "wash:washed",
        "paint:painted",
        "break:broken",
        "sell:sold",
        "cook:cooked",
        "write:written",
        "send:sent",
        "open:opened",
        "clean:cleaned",
        "wear:worn",
        "bring:brought",
        "take:taken",
        "hide:hidden",
        "catch:caught",
        "feed:fed",
        "choose:chosen",
        "forget:forgotten",
        "repair:repaired",
        "drive:driven",
        "visit:visited",
        "help:helped",
        "call:called",
        "follow:followed",
        "chase:chased",
        "love:loved",
        "watch:watched",
        "hear:heard",
        "play:played",
    ]
)


def passive(s: Sentence) -> list[str]:
    """The passive, for sentences of subject, verb and object."""
    if not s.object or not participle(s.verb) or s.subject.lower() in _PERSONAL or any(
        (s.time, s.place, s.companion, s.recipient, s.reason)):  # fmt: skip
        return []
    many = re.match(r"(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\d+)\b", s.object) or is_plural(
        s.object
    )
    form = be("They" if many else "It", s.tense)
    return [finish(f"{s.object} {form} {participle(s.verb)} by {lower_first(s.subject)}")]


def reported(input: str, slots: object) -> Sequence[str] | None:
    """X says: "..." or X said, "..." as reported speech without change of tense."""
    found = re.fullmatch(r'([A-Z]\w+) says[:,] "(.+?)[.]?"?[.]?', input.strip())
    s = parse(found.group(2)) if found else None
    if not found or not s or s.reason:
        return None
    if s.subject == "I":
        s = replace(s, subject=subject_pronoun(found.group(1))[0])
    elif s.subject.lower() in _PERSONAL or s.subject.startswith(("My", "Our")):
        return None
    rest = lower_first(render(s).rstrip("."))
    return [f"{found.group(1)} says that {rest}."]


def draw_speech(rng: Random) -> str:
    """A person says something."""
    while True:
        subject = rng.choice(["I", "I", ""])
        text = f'{rng.choice(PEOPLE)} says: "{render(draw_sentence(rng, subject=subject))}"'
        if reported(text, {}):
            return text


def swapped(input: str, slots: object) -> Sequence[str] | None:
    """The text with its two names changed about."""
    found = names_in(input)
    if len(found) != 2:
        return None
    a, b = found
    return [re.sub(rf"\b({a}|{b})\b", lambda m: b if m.group() == a else a, input)]


def draw_two_names(rng: Random) -> str:
    """A sentence with two people."""
    while True:
        text = render(draw_sentence(rng, rng.choice([("companion",), ("recipient",)]), animal=False))
        if len(names_in(text)) == 2:
            return text


def statement(input: str, slots: object) -> Sequence[str] | None:
    """The statement that a question asks about."""
    text = input.strip().rstrip("?")
    found = re.fullmatch(r"(Did|Does|Do|Will) (.+)", text)
    if not found:
        return None
    helper, tokens = found.group(1), found.group(2).split()
    for i in range(1, min(5, len(tokens))):
        subject = " ".join(tokens[:i])
        s = parse(f"{finish(subject, '')} will {' '.join(tokens[i:])}")
        if s:
            return [render(replace(s, tense={"Did": "past", "Will": "future"}.get(helper, "present")))]
    return None


def draw_question(rng: Random) -> str:
    """A yes-no question."""
    while True:
        text = question(draw_sentence(rng))
        if statement(text, {}):
            return text
