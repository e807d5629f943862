"""Writing and mending sentences, each with the rule that judges it: marks, order, gaps, politeness, lists, keywords."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import permutations
from random import Random

from tiny_world.kind import Draw, Example, Judge, Verdict, normalize
from tiny_world.kinds.sentence_words import CLOTHES, TIMES, bag, conjugate, past, plural, third
from tiny_world.kinds.sentences import draw_sentence, finish, lower_first, parse, question, render, words
from tiny_world.kinds.text_edits import Slots
from tiny_world.world import ANIMALS, DAYS, FOODS, MONTHS, PEOPLE, THINGS, VEHICLES, join


def mark(text: str) -> str | None:
    """The text with its end mark."""
    if not text or text[-1] in ".!?" or len(text.split()) < 2:
        return None
    asks = re.match(r"(Did|Do|Does|Will|Is|Are|Was|Were|Who|Where|When|Why|What|How)\b", text)
    return text + "?" if asks else text + "." if parse(text) else None


def draw_unmarked(rng: Random) -> str:
    """A statement or question without its end mark."""
    s = draw_sentence(rng)
    return rng.choice([render, render, question])(s)[:-1]


def capitals(text: str) -> str | None:
    """The text with its capital letters."""
    proper = {w.lower(): w for w in (*PEOPLE, *DAYS, *MONTHS, "I")}
    right = re.sub(r"\w+", lambda m: proper.get(m[0], m[0]), text)
    right = right[:1].upper() + right[1:]
    return right if text == text.lower() and parse(right) else None


def ordered() -> tuple[Draw, Judge]:
    """Words with slashes between them; any order that reads as a sentence is right."""

    def draw(rng: Random) -> Example:
        while True:
            s = draw_sentence(rng, kinds=("thing", "food", "clothes", "box", "vehicle", "dish"))
            text = render(s)
            tokens = words(lower_first(text))
            mixed = rng.sample(tokens, len(tokens))
            if 3 <= len(tokens) <= 7 and mixed != tokens and not s.time_first:
                return Example(" / ".join(mixed), text)

    def judge(input: str, output: str, slots: Slots) -> Verdict:
        tokens = [t.strip() for t in input.split("/")] if "/" in input else words(input)
        right = sorted(normalize(output).split()) == sorted(normalize(" ".join(tokens)).split())
        if right and parse(output) is not None:
            return Verdict(True, True)
        orders = permutations(tokens) if 3 <= len(tokens) <= 6 else [tuple(tokens)]
        return Verdict(any(parse(finish(" ".join(o))) for o in orders), False)

    return draw, judge


def blank(text: str, slots: Slots) -> list[str] | None:
    """The choice that fits the gap: by the time, or by the subject."""
    found = re.fullmatch(r"(.*_+.*?)\s*\((\w[\w ]*) / (\w[\w ]*)\)\W*", text)
    if not found:
        return None
    right = [c for c in found.groups()[1:] if _fits(re.sub("_+", c, found.group(1)))]
    return right if len(right) == 1 else None


def _fits(text: str) -> bool:
    s = parse(text)
    times = [t for t, known in TIMES.items() for k in known if s and s.time == k]
    return s is not None and (not times or s.tense in times)


def draw_blank(rng: Random) -> str:
    """A sentence with a gap for the verb and two forms of it."""
    s = draw_sentence(rng, ("time",))
    form = conjugate(s.verb, s.tense, s.subject)
    others = [f for f in (s.verb, third(s.verb), past(s.verb), f"will {s.verb}") if f != form]
    pair = rng.sample([form, rng.choice(others)], 2)
    return f"{render(s).replace(f' {form}', ' ____', 1)} ({pair[0]} / {pair[1]})"


def polite(text: str, slots: Slots) -> list[str] | None:
    """A command with please."""
    body = text.strip().rstrip(".!")
    if not parse(f"They {body[:1].lower()}{body[1:]}") or body.lower().startswith("please"):
        return None
    low = body[:1].lower() + body[1:]
    asked = [f"{w} you {p}{low}{q}?" for w in ("Could", "Can", "Would") for p, q in (("please ", ""), ("", ", please"))]
    return [f"Please {low}.", f"{body}, please.", *asked]


def draw_command(rng: Random) -> str:
    """A command."""
    s = draw_sentence(rng, ("object",), tense="present", subject="They", animal=False)
    return finish(render(s).removeprefix("They ").rstrip(".")) if not s.time else ""


def mentioned(text: str, wanted: Sequence[str]) -> bool:
    """All the words occur, in the singular or the plural."""
    said = f" {normalize(text)} "
    return all(any(f" {f} " in said for f in (w.lower(), plural(w.lower()))) for w in wanted)


FRAMES = tuple(f"{a} {b}" for a in bag("We I They Anna Tom Lucy") for b in bag("bought saw found sold need"))


def items(text: str) -> list[str]:
    """The members of a list with commas."""
    return [t.strip() for t in text.strip().rstrip(".").split(",") if t.strip()]


def list_to_sentence() -> tuple[Draw, Judge]:
    """A sentence that holds all members of a list."""

    def draw(rng: Random) -> Example:
        pool = rng.choice([sorted(FOODS), sorted(ANIMALS), sorted(THINGS), CLOTHES, sorted(VEHICLES)])
        chosen = [n if n.endswith("s") else plural(n) for n in rng.sample(pool, rng.randint(3, 4))]
        frame = rng.choice([f for f in FRAMES if not re.match("(Anna|Tom|Lucy) need", f)])
        return Example(", ".join(chosen), f"{frame} {join(chosen)}.")

    def judge(input: str, output: str, slots: Slots) -> Verdict:
        found = items(input)
        fits = 2 <= len(found) <= 6 and all(len(i.split()) <= 3 for i in found)
        right = mentioned(output, found) and " and " in output and output.strip().endswith(".")
        return Verdict(fits, fits and right and len(words(output)) >= len(words(input)) + 2)

    return draw, judge


def from_keywords() -> tuple[Draw, Judge]:
    """A sentence with the given words."""

    def draw(rng: Random) -> Example:
        while True:
            s = draw_sentence(rng, ("object", "place"), subject=rng.choice(PEOPLE), animal=False)
            noun, place = s.object.split()[-1], s.place.split(" ", 2)[-1]
            if noun not in PEOPLE and s.place and noun != place:
                return Example(f"{s.subject}, {noun}, {place}", render(s))

    def judge(input: str, output: str, slots: Slots) -> Verdict:
        found = items(input)
        fits = 2 <= len(found) <= 5 and all(len(i.split()) <= 2 for i in found)
        return Verdict(
            fits, fits and parse(output) is not None and mentioned(output, found) and len(words(output)) <= 18
        )

    return draw, judge


def completion() -> tuple[Draw, Judge]:
    """A sentence that goes on from its beginning."""

    def draw(rng: Random) -> Example:
        s = draw_sentence(rng, ("object",))
        text = render(s)
        start = text[: text.index(f" {conjugate(s.verb, s.tense, s.subject)} ")]
        return Example(f"{start} {conjugate(s.verb, s.tense, s.subject)} ...", text)

    def judge(input: str, output: str, slots: Slots) -> Verdict:
        start, said = normalize(input), normalize(output)
        fits = 2 <= len(start.split()) <= 10 and parse(finish(input.rstrip(" ."), "")) is not None
        right = said.startswith(start + " ") and parse(output) is not None
        return Verdict(fits, fits and right)

    return draw, judge


_FORMAL = (
    ("thanks", "thank you"),
    ("can you", "could you please"),
    ("i'm", "I am"),
    ("can't", "cannot"),
    ("don't", "do not"),
    ("bye", "goodbye"),
    ("mum", "mother"),
    ("dad", "father"),
    ("ok", "very well"),
)


def formal(text: str, slots: Slots) -> list[str] | None:
    """Dear for hi, and the long forms."""
    found = re.match(r"(?:Hi|Hey|Hello),? ([A-Z]\w+)[,!] ", text)
    if not found:
        return None
    body = text[found.end() :]
    for casual, long in _FORMAL:
        body = re.sub(rf"\b{casual}\b", long, body, flags=re.IGNORECASE)
    return [f"Dear {found.group(1)}, {body[:1].lower() + body[1:] if not body.startswith('I ') else body}"]


def draw_informal(rng: Random) -> str:
    """A casual line to a friend."""
    a = rng.choice(PEOPLE)
    food, day, thing = rng.choice(sorted(FOODS)), rng.choice(DAYS), rng.choice([*sorted(THINGS), *CLOTHES])
    line = rng.choice(
        [
            f"thanks for the {food}.",
            f"can you come on {day}?",
            f"I'm late on {day}.",
            f"I can't find the {thing}.",
            f"can you bring the {thing}?",
            f"thanks for the {thing}.",
            f"don't forget the {food} on {day}.",
            f"I don't need the {thing}.",
            f"I can't come on {day}.",
        ]
    )
    return f"{rng.choice(['Hi', 'Hey', 'Hello'])} {a}, {line}"


def restored(text: str) -> str | None:
    """The text with capital letters and its full stop."""
    right = capitals(text)
    return right + "." if right and text[-1:].isalpha() else None


def draw_plain(rng: Random) -> str:
    """A statement in small letters, without its full stop."""
    return render(draw_sentence(rng)).lower().rstrip(".")
