"""Words of the sentences: verbs with their past forms, nouns, adjectives, times, and how they inflect."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from tiny_world.kind import Kind
from tiny_world.world import DAYS, FEELINGS, JOBS, MONTHS, PEOPLE, TOWN_PLACES, WOMEN

KINDS: list[Kind] = []
PROSE: list[Callable[[Random], str]] = []


def bag(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


# base -> (past, classes of its object; "-" is none)
VERBS: dict[str, tuple[str, tuple[str, ...]]] = {
    r[0]: (r[1], tuple(r[2:]))
    for r in (
        line.split()
        for line in """
buy bought thing food clothes
see saw animal thing person vehicle
make made dish
eat ate food
drink drank drink
find found thing animal clothes
lose lost thing clothes
carry carried thing
wash washed thing clothes vehicle
paint painted thing
break broke thing
sell sold thing food vehicle clothes
cook cooked dish
write wrote text
send sent text
read_ read_ text
open opened box
clean cleaned thing vehicle
wear wore clothes
bring brought food thing
take took thing food
hide hid thing food
catch caught animal
feed fed animal
choose chose clothes thing
forget forgot thing clothes
repair repaired thing vehicle
drive drove vehicle
visit visited person place
help helped person
meet met person
call called person
follow followed animal person
chase chased animal
love loved food animal sport
hear heard animal person
play played sport instrument
watch watched animal sport
sleep slept -
run ran -
swim swam -
sing sang -
laugh laughed -
dance danced -
sit sat -
wait waited -
walk walked -
work worked -
stand stood -
cry cried -
rest rested -
give gave gift
show showed gift
""".strip().splitlines()
        if "_" not in line
    )
}
CLOTHES = bag("hat coat scarf dress shirt jacket sweater skirt boot")
TEXTS = bag("letter story poem note song card message")
BOXES = bag("door window box bag gate drawer parcel")
DISHES = bag("soup cake salad pie bread sandwich pizza pancake breakfast dinner tea")
UNCOUNTED = bag("""
rice bread pasta oats corn milk cheese butter yogurt cream beef ham chicken honey jam chocolate tea
coffee water juice spinach garlic soup soap breakfast dinner
""")
DRINKS = bag("tea coffee water juice milk")
OPPOSITES = {
    "big": "small",
    "old": "new",
    "hot": "cold",
    "clean": "dirty",
    "heavy": "light",
    "cheap": "expensive",
    "long": "short",
    "happy": "sad",
    "fast": "slow",
    "full": "empty",
    "wet": "dry",
    "strong": "weak",
    "rich": "poor",
    "easy": "difficult",
    "soft": "hard",
    "thick": "thin",
    "noisy": "quiet",
    "young": "old",
    "tall": "short",
    "good": "bad",
    "early": "late",
    "large": "small",
    "safe": "dangerous",
    "brave": "afraid",
    "nice": "ugly",
    "broken": "whole",
}
SIZES = bag("big small old new clean dirty heavy light cheap expensive nice long")
ANIMAL_ADJECTIVES = bag("big small old young noisy quiet hungry fast slow brave lazy wild")
ADJECTIVES = tuple(
    dict.fromkeys(
        [
            *OPPOSITES,
            *OPPOSITES.values(),
            *SIZES,
            *ANIMAL_ADJECTIVES,
            *FEELINGS,
            "hungry",
            "thirsty",
            "sick",
            "busy",
            "beautiful",
            "warm",
            "funny",
            "sweet",
        ]
    )
)
MOODS = bag("happy sad angry tired hungry thirsty bored busy sick proud afraid lonely cold late")
FAMILY = {
    "mother": "she",
    "father": "he",
    "sister": "she",
    "brother": "he",
    "aunt": "she",
    "uncle": "he",
    "grandmother": "she",
    "grandfather": "he",
}
PREPOSITIONS = dict.fromkeys(TOWN_PLACES, "at the") | {
    "park": "in the",
    "library": "in the",
    "garden": "in the",
    "castle": "in the",
    "square": "in the",
    "bridge": "under the",
    "church": "near the",
    "beach": "on the",
    "farm": "on the",
    "hospital": "in the",
    "kitchen": "in the",
    "forest": "in the",
    "river": "near the",
    "lake": "by the",
    "street": "in the",
    "office": "in the",
    "bus stop": "at the",
}
TIMES = {
    "past": ("yesterday", "last week", "last night", "last year", "last Monday", "last Friday", "this morning"),
    "present": ("every day", "every morning", "every week", "every Sunday", "every evening", "every year"),
    "future": ("tomorrow", "next week", "next month", "next Friday", "next year", "tonight", "soon"),
}
NEUTRAL_TIMES = (
    "at noon",
    "in the morning",
    "in the evening",
    "after lunch",
    "before dinner",
    "at night",
    "after school",
    *(f"on {d}" for d in DAYS),
    *(f"in {m}" for m in MONTHS),
    "at five o'clock",
    "at nine o'clock",
)
IRREGULAR = {
    "sheep": "sheep",
    "goose": "geese",
    "mouse": "mice",
    "deer": "deer",
    "fish": "fish",
    "wolf": "wolves",
    "man": "men",
    "woman": "women",
    "child": "children",
    "knife": "knives",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "salmon": "salmon",
    "trout": "trout",
    "shelf": "shelves",
    "postman": "postmen",
    "person": "people",
    "fisherman": "fishermen",
}
_SINGULAR = {v: k for k, v in IRREGULAR.items()}


def plural(noun: str) -> str:
    """The plural of a noun (its last word)."""
    if noun in IRREGULAR:
        return IRREGULAR[noun]
    if re.search(r"(s|x|ch|sh)$", noun):
        return noun + "es"
    return noun[:-1] + "ies" if re.search(r"[^aeiou]y$", noun) else noun + "s"


def is_plural(subject: str) -> bool:
    """True for a subject that takes the plural form of the verb."""
    words = subject.split()
    if len(words) == 1:
        return words[0].lower() in ("i", "they", "we", "you")
    head = words[-1]
    return (
        " and " in subject
        or words[0].lower() in ("two", "three")
        or (head in _SINGULAR and head not in IRREGULAR)
        or bool(re.search(r"[^su]s$", head))
    )


def subject_pronoun(subject: str) -> tuple[str, ...]:
    """The pronouns that may stand for this subject, the best first."""
    word = subject.split()[-1]
    if is_plural(subject):
        return (subject.lower(),) if " " not in subject else ("they",)
    if subject.lower() in ("he", "she", "it"):
        return (subject.lower(),)
    if word in PEOPLE:
        return ("she",) if word in WOMEN else ("he",)
    if word in FAMILY:
        return (FAMILY[word],)
    return ("he", "she") if subject.split(" ", 1)[-1] in JOBS else ("it", "he", "she")


def third(verb: str) -> str:
    """The form with he, she or it."""
    if verb in ("be", "have"):
        return {"be": "is", "have": "has"}[verb]
    return plural(verb) if verb != "go" else "goes"


def be(subject: str, tense: str) -> str:
    """The form of be."""
    if tense == "future":
        return "will be"
    if subject in ("I", "i"):
        return "am" if tense == "present" else "was"
    return {"past": ("was", "were"), "present": ("is", "are")}[tense][is_plural(subject)]


def past(verb: str) -> str:
    """The past form."""
    return VERBS[verb][0] if verb in VERBS else {"have": "had", "go": "went"}[verb]


def conjugate(verb: str, tense: str, subject: str) -> str:
    """The verb in a tense, agreeing with the subject."""
    if verb == "be":
        return be(subject, tense)
    if tense == "future":
        return f"will {verb}"
    return past(verb) if tense == "past" else verb if is_plural(subject) else third(verb)
