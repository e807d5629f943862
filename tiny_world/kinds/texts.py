"""Short texts of two to five sentences (messages, advertisements, notes, stories) and finders of the facts in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from tiny_world.kind import Draw, Example, Judge, Verdict, by_rule, normalize
from tiny_world.kinds.extraction_words import content
from tiny_world.kinds.sentence_words import CLOTHES, MOODS, SIZES, bag, plural
from tiny_world.kinds.sentences import draw_sentence, finish, render
from tiny_world.world import ANIMALS, COLOURS, DAYS, FOODS, PEOPLE, SPORTS, THINGS, TOWN_PLACES, article, pronoun

PROSE: list[Callable[[Random], str]] = []
_GREETING = re.compile(r"^(?:Hi|Hello|Dear|Hey|Good morning|Good evening),? ([A-Z]\w+)")
_UNIT = r"(?:dollars?|euros?|pounds?|coins?)"
EVENTS = bag("meeting party concert lesson match dinner class game picnic")


def sentences_of(text: str) -> list[str]:
    """The sentences of a text."""
    return [s for s in re.split(r"(?<=[.!?])\s+", text.strip()) if s]


def thing(rng: Random) -> str:
    """A thing with one adjective or colour."""
    return f"{rng.choice([*COLOURS, *SIZES])} {rng.choice([*sorted(THINGS), *CLOTHES])}"


def event_line(rng: Random) -> str:
    """Where and when something takes place."""
    event, day, hour, place = rng.choice(EVENTS), rng.choice(DAYS), rng.randint(1, 12), rng.choice(TOWN_PLACES)
    room = rng.randint(2, 99)
    return rng.choice(
        [
            f"The {event} is on {day} at {hour} in room {room}.",
            f"Please come to room {room} on {day} for the {event}.",
            f"We moved the {event} to {day}, and it is now in room {room}.",
            f"The {event} begins at {hour} on {day}. It is in room {room} of the {place}.",
            f"On {day} there is a {event} in room {room}.",
        ]
    )


def phone_line(rng: Random) -> str:
    """A phone number in a sentence."""
    phone = f"{rng.randint(200, 999)}-{rng.randint(1000, 9999)}"
    return rng.choice(
        [
            f"Call me at {phone}.",
            f"My number is {phone}.",
            f"You can reach us at {phone}.",
            f"Please phone {phone} before noon.",
            f"If you are late, call {phone}.",
        ]
    )


def message(rng: Random, *body: str) -> str:
    """A message or letter with greeting and sender."""
    to, sender = rng.sample(PEOPLE, 2)
    hello = rng.choice([f"Dear {to},", f"Hi {to},", f"Hello {to},", f"Hey {to},", f"Good morning {to},"])
    bye = rng.choice(["Yours,", "See you,", "Love,", "Best wishes,", "Bye,", "Thanks,", "Your friend,"])
    text = " ".join(body) if body else render(draw_sentence(rng, subject="I", animal=False))
    return f"{hello} {text} {bye} {sender}"


def advertisement(rng: Random) -> str:
    """Something with a price."""
    amount, unit = rng.randint(2, 99), rng.choice(["dollars", "euros", "pounds", "coins"])
    what, name = thing(rng), rng.choice(PEOPLE)
    return rng.choice(
        [
            f"For sale: {what}, only {amount} {unit}.",
            f"The {what} costs {amount} {unit}.",
            f"{name} paid {amount} {unit} for the {what}.",
            f"Buy {article(what)} for {amount} {unit} at our shop.",
            f"{name} sells {article(what)}. The price is {amount} {unit}.",
            f"Our {plural(what)} cost {amount} {unit} each.",
        ]
    )


def story(rng: Random) -> list[str]:
    """Three things that one person did, one after the other."""
    name = rng.choice(PEOPLE)
    steps = [
        render(draw_sentence(rng, ("object",), tense="past", subject=s, animal=False))
        for s in (name, pronoun(name).title(), rng.choice([pronoun(name).title(), name]))
    ]
    steps = [
        re.sub(r"^((?:On|In|At|After|Before|Yesterday|Last|This)\b[^,]*), (\w+) (.*)\.$", r"\2 \3.", s) for s in steps
    ]
    steps = [finish(s.rstrip(".")) for s in steps]
    low = [s if s.split()[0] in PEOPLE else s[:1].lower() + s[1:] for s in steps]
    return rng.choice(
        [
            steps,
            [f"First {low[0]}", f"Then {low[1]}", f"Finally {low[2]}"],
            [steps[0], f"After that {low[1]}", f"In the end {low[2]}"],
            [*steps[:2], f"Then {low[2]}"],
        ]
    )


def tale(rng: Random) -> str:
    """A small story of an animal and something it finds."""
    animal, adjective, found = (
        rng.choice(sorted(ANIMALS)),
        rng.choice([*MOODS[:6], "brave", "lazy"]),
        rng.choice([*sorted(FOODS)[:12], *sorted(THINGS)]),
    )
    home, mood = ANIMALS[animal].habitat, rng.choice(["happy", "proud", "surprised", "excited"])
    where = "on" if home in ("farm", "ice", "savanna", "grassland") else "in"
    start = rng.choice(
        [
            f"{article(f'{adjective} {animal}').capitalize()} lived {where} the {home}.",
            f"Once there was {article(f'{adjective} {animal}')} {where} the {home}.",
            f"{where.capitalize()} the {home} lived {article(f'{adjective} {animal}')}.",
        ]
    )
    middle = rng.choice(
        [
            f"One day it found the {found}.",
            f"Every day it looked for the {found}.",
            f"It lost the {found} near the river.",
            f"A friend brought it the {found}.",
        ]
    )
    return f"{start} {middle} {rng.choice([f'It was very {mood}.', f'That made it {mood}.', 'Then it went home.'])}"


def topic_text(rng: Random) -> str:
    """A main sentence and two that support it."""
    name, sport = rng.choice(PEOPLE), rng.choice(SPORTS)
    food, animal = rng.choice(sorted(FOODS)), rng.choice(sorted(ANIMALS))
    he, place = pronoun(name).title(), rng.choice(TOWN_PLACES)
    main, *support = rng.choice(
        [
            [
                f"{name} loves {sport}.",
                f"{he} trains every {rng.choice(DAYS)}.",
                f"{he} has won {rng.randint(2, 9)} cups.",
            ],
            [
                f"{name} is very busy.",
                f"{he} works at the {place} all day.",
                f"{he} comes home at {rng.randint(7, 11)}.",
            ],
            [f"The {place} is the best place in town.", "Many people meet there.", f"You can buy {food} and rest."],
            [
                f"The {animal} is an interesting animal.",
                f"It lives in the {ANIMALS[animal].habitat}.",
                f"It has {ANIMALS[animal].legs} legs." if ANIMALS[animal].legs else "It has no legs.",
            ],
            [f"{name} is a good friend.", f"{he} always helps us.", f"Last week {he.lower()} brought some {food}."],
            [
                f"The weather was very bad on {rng.choice(DAYS)}.",
                "It rained the whole day.",
                f"The {place} was closed.",
            ],
        ]
    )
    return " ".join(rng.choice([[main, *support], [*support, main]]))


_MAIN = re.compile(
    r"\bloves \w+\.|is very busy|is the best place|is an interesting animal|is a good friend|weather was very"
)


def find(pattern: str) -> Callable[[str], list[str]]:
    """The only match of the first group."""

    def search(text: str) -> list[str]:
        found = list(dict.fromkeys(re.findall(pattern, text)))
        return found if len(found) == 1 else []

    return search


def from_text(draw: Callable[[Random], str], search: Callable[[str], Sequence[str]]) -> tuple[Draw, Judge]:
    """Draw a text, and judge by searching it."""

    def solve(input: str, slots: object) -> Sequence[str] | None:
        return search(input) or None

    return by_rule(draw, solve)


def event(index: int) -> Callable[[str], list[str]]:
    """The first or last sentence of a story, with and without then, first and the like."""

    def search(text: str) -> list[str]:
        steps = sentences_of(text)
        if len(steps) < 2 or any(len(s.split()) < 2 for s in steps):
            return []
        bare = re.sub(r"^(?:First|Then|Finally|After that|In the end),? ", "", steps[index])
        return [finish(bare.rstrip(".!")), steps[index]]

    return search


def sender(text: str) -> list[str]:
    """The name that ends a message."""
    last = re.search(r"(?:,|\.|!)\s+([A-Z]\w+)\W*$", text)
    return [last.group(1)] if last and _GREETING.match(text) else []


def addressee(text: str) -> list[str]:
    """The name in the greeting."""
    return [m.group(1)] if (m := _GREETING.match(text)) else []


def main_idea(text: str) -> list[str]:
    """The sentence that says what the text is about."""
    found = [s for s in sentences_of(text) if _MAIN.search(s)]
    return found if len(found) == 1 and len(sentences_of(text)) > 1 else []


def hour(text: str) -> list[str]:
    """The only hour after at."""
    found = find(r"\bat (\d{1,2})\b(?!-)")(text)
    return [*found, f"at {found[0]}"] if found else []


def price(text: str) -> list[str]:
    """The price with its money, and alone."""
    found = find(rf"(\d+ {_UNIT})")(text)
    return [*found, found[0].split()[0]] if found else []


def titles() -> tuple[Draw, Judge]:
    """A title uses words of the story and is no sentence of it."""

    def draw_title(rng: Random) -> tuple[str, str]:
        text = tale(rng)
        animal = max((a for a in ANIMALS if re.search(rf"\b{a}\b", text)), key=len)
        adjective = re.search(rf"(\w+) {animal}", text)
        item = re.search(r"(?:found|for|lost|it) the ([\w ]+?)(?: near [\w ]+)?\.", text)
        return text, rng.choice(
            [
                f"The {adjective.group(1)} {animal}" if adjective else f"The {animal}",
                f"The {animal} and the {item.group(1)}" if item else f"A {animal}",
            ]
        )

    def draw(rng: Random) -> Example:
        text, title = draw_title(rng)
        return Example(text, " ".join(w if w in ("and", "the") else w.capitalize() for w in title.split()))

    def judge(input: str, output: str, slots: object) -> Verdict:
        said = normalize(output)
        source, named = set(normalize(input).split()), content(said)
        shared = sum(w in source for w in named)
        right = (
            1 <= len(said.split()) <= 8
            and 2 * shared > len(named)
            and said not in {normalize(s) for s in sentences_of(input)}
        )
        fits = len(sentences_of(input)) >= 2
        return Verdict(fits, fits and right and not output.strip().endswith("."))

    return draw, judge
