"""Sentences with known parts: composing them, and reading the parts back from any sentence of the same shapes.

A sentence is "[Time,] subject verb [object] [to recipient] [with companion] [place] [time] [because reason]." The
reader knows the verbs, the function words and the times; names, nouns and adjectives may be any.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from tiny_world.kind import Kind
from tiny_world.kinds.sentence_words import (
    ANIMAL_ADJECTIVES,
    BOXES,
    CLOTHES,
    DISHES,
    DRINKS,
    FAMILY,
    MOODS,
    NEUTRAL_TIMES,
    PREPOSITIONS,
    SIZES,
    TEXTS,
    TIMES,
    UNCOUNTED,
    VERBS,
    bag,
    be,
    conjugate,
    is_plural,
    past,
    plural,
    subject_pronoun,
    third,
)
from tiny_world.world import (
    ANIMALS,
    COLOURS,
    DAYS,
    FOODS,
    INSTRUMENTS,
    JOBS,
    MONTHS,
    NUMBER_WORDS,
    PEOPLE,
    SPORTS,
    THINGS,
    TOWN_PLACES,
    VEHICLES,
    article,
)

KINDS: list[Kind] = []
PROSE: list[Callable[[Random], str]] = []


@dataclass(frozen=True)
class Sentence:
    """A sentence by its parts; `verb` is the base form and `tense` is past, present or future."""

    subject: str
    verb: str
    tense: str
    object: str = ""
    recipient: str = ""
    companion: str = ""
    place: str = ""
    time: str = ""
    reason: str = ""
    time_first: bool = False


_TIME = (
    r"(?:yesterday|today|tomorrow|tonight|soon|now|(?:last|next|every|this) \w+|on \w+day|in (?:"
    + "|".join(MONTHS)
    + r")|"
    r"in the (?:morning|afternoon|evening)|at (?:noon|night|midnight)|at \w+ o'clock|(?:after|before) \w+)"
)
_NAME = r"[A-Z]\w+"
_DET = r"(?:the|a|an|my|our|his|her|their|your)"
_PLACE = rf"(?!{_TIME}\b)(?:in|at|near|behind|to|by|under|on|inside|beside|from) (?:{_DET} [\w ]+?|{_NAME})"
_REST = re.compile(
    rf"(?: (?P<object>(?!with |because |{_TIME}\b|{_PLACE}\b)[\w' -]+?))?(?: to (?P<recipient>{_NAME}|{_DET} \w+))?"
    rf"(?: with (?P<companion>[\w ]+?))?(?: (?P<place>{_PLACE}))?(?: (?P<time>{_TIME}))?"
    r"(?: because (?P<reason>[\w' ]+))?"
)
_SUBJECT = re.compile(
    rf"(?:{_NAME} and )?{_NAME}|"
    r"(?:[Tt]he|[Aa]n?|[Mm]y|[Oo]ur|[Hh]is|[Hh]er|[Tt]heir|[Tt]wo|[Tt]hree) [\w ]+"
    r"|[Ii]t|I|[Hh]e|[Ss]he|[Tt]hey|[Ww]e|[Yy]ou"
)
_NOT_NAMES = {*DAYS, *MONTHS, "The", "A", "An", "My", "Our", "His", "Her", "Their", "Two", "Three", "Your"}
_BEAST_VERBS = bag("eat drink see find chase follow watch sleep run swim sing rest cry sit wait stand hear")


def clause(s: Sentence, verb: str) -> str:
    """The sentence's words with the given verb phrase, without capital and full stop."""
    parts = [
        s.subject,
        verb,
        s.object,
        s.recipient and f"to {s.recipient}",
        s.companion and f"with {s.companion}",
        s.place,
        "" if s.time_first else s.time,
        s.reason and f"because {s.reason}",
    ]
    first = s.time_first and bool(s.time)
    parts[0] = lower_first(s.subject) if first else s.subject
    text = " ".join(p for p in parts if p)
    return f"{s.time}, {text}" if first else text


def finish(text: str, end: str = ".") -> str:
    """Capital letter and end mark."""
    return text[:1].upper() + text[1:] + end


def lower_first(text: str) -> str:
    """Without the capital letter of the sentence, unless a name or I begins it."""
    first = re.split(r"\W", text, maxsplit=1)[0]
    return (
        text
        if first == "I" or (first not in _NOT_NAMES and first[:1].isupper() and first.lower() not in _LOWER)
        else (text[:1].lower() + text[1:])
    )


_LOWER = {
    "it",
    "he",
    "she",
    "they",
    "we",
    "you",
    "yesterday",
    "today",
    "tomorrow",
    "tonight",
    "soon",
    "now",
    "last",
    "next",
    "every",
    "this",
    "on",
    "in",
    "at",
    "after",
    "before",
}


def render(s: Sentence) -> str:
    """The sentence as text."""
    return finish(clause(s, conjugate(s.verb, s.tense, s.subject)))


def question(s: Sentence) -> str:
    """The yes-no question of the sentence."""
    subject = replace(s, time_first=False, subject=lower_first(s.subject))
    if s.verb == "be":
        form = be(s.subject, s.tense)
        first, rest = ("will", "be") if s.tense == "future" else (form, "")
    else:
        first = {"past": "did", "future": "will", "present": "do" if is_plural(s.subject) else "does"}[s.tense]
        rest = s.verb
    return finish(f"{first} {clause(subject, rest)}", "?")


def negative(s: Sentence) -> str:
    """The sentence with not."""
    if s.tense == "future":
        return finish(clause(s, f"will not {s.verb}"))
    if s.verb == "be":
        return finish(clause(s, be(s.subject, s.tense) + " not"))
    helper = "did" if s.tense == "past" else "do" if is_plural(s.subject) else "does"
    return finish(clause(s, f"{helper} not {s.verb}"))


def _readings() -> dict[str, list[tuple[str, str]]]:
    out: dict[str, list[tuple[str, str]]] = {}
    for verb in [*VERBS, "have", "go"]:
        for form, tense in ((past(verb), "past"), (third(verb), "present"), (verb, "present")):
            out.setdefault(form, []).append((verb, tense))
    for form, tense in (("is", "present"), ("are", "present"), ("am", "present"), ("was", "past"), ("were", "past")):
        out[form] = [("be", tense)]
    return out


_FORMS = _readings()


def parse(text: str) -> Sentence | None:
    """Read the parts of one statement; None where it is not of a known shape."""
    text = text.strip().rstrip(".!").strip()
    lead = re.match(rf"({_TIME}),? ", text, re.IGNORECASE)
    time, body = (lead.group(1), text[lead.end() :]) if lead else ("", text)
    if "," in body or "?" in body or "." in body:
        return None
    tokens = body.split()
    for i in range(1, min(len(tokens), 6)):
        subject, form, after = " ".join(tokens[:i]), tokens[i], tokens[i + 1 :]
        if not _SUBJECT.fullmatch(subject) or subject in _NOT_NAMES:
            continue
        if form == "will" and after and (after[0] in ("be", "have", "go") or after[0] in VERBS):
            readings, after = [(after[0], "future")], after[1:]
        else:
            readings = [(v, t) for v, t in _FORMS.get(form, []) if conjugate(v, t, subject) == form]
        rest = _REST.fullmatch("".join(f" {t}" for t in after))
        if readings and rest:
            parts = {k: v or "" for k, v in rest.groupdict().items()}
            if time:
                parts["time"] = lower_first(time)
                subject = subject[:1].upper() + subject[1:]
            return Sentence(subject, *readings[0], **parts, time_first=bool(time))
    return None


def noun_phrase(rng: Random, kind: str, adjective: bool | None = None, counted: bool | None = None) -> str:
    """An object of one of the classes, perhaps with a colour or adjective or number."""
    if kind in ("person", "place", "sport", "instrument"):
        return {
            "person": lambda: rng.choice([rng.choice(PEOPLE), f"the {rng.choice(sorted(JOBS))}"]),
            "place": lambda: f"the {rng.choice(TOWN_PLACES)}",
            "sport": lambda: rng.choice(SPORTS),
            "instrument": lambda: f"the {rng.choice(INSTRUMENTS)}",
        }[kind]()
    pools = {
        "food": sorted(FOODS),
        "thing": sorted(THINGS),
        "clothes": CLOTHES,
        "animal": sorted(ANIMALS),
        "text": TEXTS,
        "vehicle": sorted(VEHICLES),
        "box": BOXES,
        "dish": DISHES,
        "drink": DRINKS,
        "gift": sorted(THINGS) + TEXTS,
    }
    noun = rng.choice(pools[kind])
    if noun in UNCOUNTED:
        return f"some {noun}"
    word = ""
    if adjective or (adjective is None and rng.random() < 0.5):
        word = rng.choice(
            COLOURS
            if kind in ("thing", "clothes", "vehicle", "box") and rng.random() < 0.6
            else ANIMAL_ADJECTIVES
            if kind == "animal"
            else [*SIZES[:4], "nice"]
        )
    if counted or (counted is None and rng.random() < 0.25):
        return " ".join(w for w in (rng.choice(NUMBER_WORDS[2:13]), word, plural(noun)) if w)
    phrase = f"{word} {noun}".strip()
    return article(phrase) if rng.random() < 0.7 else f"the {phrase}"


def draw_subject(rng: Random) -> str:
    """A person, two people, someone of the family, a profession, an animal (one or several), or a pronoun."""
    roll = rng.random()
    if roll < 0.5:
        return rng.choice(PEOPLE)
    if roll < 0.6:
        return " and ".join(rng.sample(PEOPLE, 2))
    if roll < 0.75:
        return f"{rng.choice(['My', 'Our', 'Her', 'His'])} {rng.choice(sorted(FAMILY))}"
    return f"The {rng.choice(sorted(JOBS))}" if roll < 0.9 else rng.choice(["He", "She", "They", "We", "I"])


def draw_place(rng: Random) -> str:
    """in the park, at the market, ..."""
    place = rng.choice(sorted(PREPOSITIONS))
    return f"{PREPOSITIONS[place]} {place}"


def draw_reason(rng: Random, subject: str, tense: str) -> str:
    """A reason without because."""
    tense = "past" if tense == "past" else "present"
    pronoun = rng.choice(subject_pronoun(subject)) if subject != "I" else "I"
    if rng.random() < 0.6:
        return f"{pronoun} {be(pronoun, tense)} {rng.choice(MOODS)}"
    weather = rng.choice(["cold", "hot", "sunny", "late", "early", "dark", "rainy", "windy"])
    return f"it {be('it', tense)} {weather}"


def draw_sentence(
    rng: Random,
    need: tuple[str, ...] = (),
    tense: str = "",
    neutral: bool = False,
    animal: bool = True,
    subject: str = "",
    verbs: tuple[str, ...] = (),
    kinds: tuple[str, ...] = (),
) -> Sentence:
    """A sentence with at least the needed parts (names of the fields); `neutral` keeps times that fit every tense."""
    tense = tense or rng.choice(["past", "past", "present", "future"])
    wanted = "object" in need or bool(kinds)
    pool = [
        v
        for v in verbs or VERBS
        if ("gift" in VERBS[v][1]) == ("recipient" in need) and not (wanted and "-" in VERBS[v][1])
    ]
    pool = [v for v in pool if not kinds or set(kinds) & set(VERBS[v][1])]
    verb = rng.choice(sorted(pool))
    classes = [c for c in VERBS[verb][1] if not kinds or c in kinds]
    if not subject:
        beast = animal and verb in _BEAST_VERBS and rng.random() < 0.5
        name = rng.choice(sorted(ANIMALS))
        subject = f"The {name if rng.random() < 0.6 else plural(name)}" if beast else draw_subject(rng)
    kind = rng.choice(classes)
    s = Sentence(subject, verb, tense, "" if kind == "-" else noun_phrase(rng, kind))
    taken = {subject, *subject.split(), s.object}
    others = [p for p in PEOPLE if p not in taken]
    want = {
        k: k in need or rng.random() < share
        for k, share in (("companion", 0.12), ("place", 0.35), ("time", 0.4), ("reason", 0.0))
    }
    time = rng.choice(NEUTRAL_TIMES if neutral or rng.random() < 0.5 else TIMES[tense]) if want["time"] else ""
    return replace(
        s,
        recipient=rng.choice(others) if "recipient" in need else "",
        companion=rng.choice(others) if want["companion"] else "",
        place=draw_place(rng) if want["place"] and kind != "place" else "",
        time=time,
        reason=draw_reason(rng, subject, tense) if want["reason"] else "",
        time_first=bool(time) and rng.random() < 0.25,
    )


def words(text: str) -> list[str]:
    """The words of a text, as they stand."""
    return re.findall(r"[\w'-]+", text)


def names_in(text: str) -> list[str]:
    """The names of people in a text, each once, in order."""
    known = [w for w in words(text) if w in PEOPLE]
    return list(dict.fromkeys(known))


def lines(text: str) -> tuple[str, ...]:
    """One wording a line."""
    return tuple(line.strip() for line in text.strip().splitlines())
