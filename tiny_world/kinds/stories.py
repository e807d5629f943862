"""Prose of sentences and short texts: stories, diaries, notes, talks, letters, reports; no kinds of task here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random

from tiny_world.kind import Kind, is_held_out
from tiny_world.kinds.sentence_words import MOODS, OPPOSITES, SIZES, bag, be, conjugate, plural, subject_pronoun
from tiny_world.kinds.sentences import (
    Sentence,
    draw_sentence,
    finish,
    lower_first,
    names_in,
    negative,
    question,
    render,
    words,
)
from tiny_world.kinds.texts import advertisement, event_line, message, phone_line, story, tale, topic_text
from tiny_world.world import COLOURS, DAYS, MONTHS, PEOPLE, TOWN_PLACES, article, join, pronoun

KINDS: list[Kind] = []
_WEATHER = ("sunny and warm", "cold and windy", "dark and rainy", "hot and dry", "grey and wet", "clear and quiet")


def line(rng: Random, *need: str, **wish: object) -> Sentence:
    """A sentence that is not kept for evaluation."""
    while True:
        s = draw_sentence(rng, need, **wish)  # type: ignore[arg-type]
        if not is_held_out(render(s)):
            return s


def usable(rng: Random, draw: Callable[[Random], str]) -> str:
    """A text that is not kept for evaluation."""
    while is_held_out(text := draw(rng)):
        pass
    return text


def day_story(rng: Random) -> str:
    """What one person did, then, and in the end."""
    name = rng.choice(PEOPLE)
    he = pronoun(name).title()
    start = rng.choice(
        [
            f"It was a {rng.choice(_WEATHER).replace(' and ', ', ')} day.",
            f"{name} woke up early.",
            f"It was {rng.choice(DAYS)} and {name} was {rng.choice(MOODS)}.",
            f"{name} lived near the {rng.choice(TOWN_PLACES)}.",
        ]
    )
    steps = [
        render(replace(line(rng, tense="past", subject=he, neutral=True), time="")) for _ in range(rng.randint(2, 3))
    ]
    links = rng.sample(["Then", "After that", "Later", "Soon", "An hour later"], len(steps) - 1)
    told = [steps[0], *(f"{link} {lower_first(s)}" for link, s in zip(links, steps[1:], strict=True))]
    end = rng.choice(
        [
            f"In the end {name} was {rng.choice(MOODS)}.",
            f"It was a good day for {name}.",
            f"{he} came home late and slept well.",
            "Nobody knew about it.",
        ]
    )
    return " ".join([start, *told, end])


def diary(rng: Random) -> str:
    """An entry told by I."""
    first = rng.choice(
        [
            f"Dear diary, today is {rng.choice(DAYS)}.",
            f"{rng.choice(DAYS)}, {rng.randint(1, 28)} {rng.choice(MONTHS)}.",
            "Dear diary,",
            f"This {rng.choice(['morning', 'afternoon'])} it was {rng.choice(_WEATHER)}.",
        ]
    )
    tense = rng.choice(["past", "past", "present", "future"])
    told = [render(line(rng, tense=tense, subject=rng.choice(["I", "I", "We"]))) for _ in range(rng.randint(2, 3))]
    end = rng.choice(
        [f"I am {rng.choice(MOODS)} now.", "Tomorrow I will write more.", "Good night.", "I did not sleep much."]
    )
    return " ".join([first, *told, end])


def news(rng: Random) -> str:
    """Several events of a town."""
    told = [render(line(rng, "place", tense="past")) for _ in range(rng.randint(2, 4))]
    return " ".join([rng.choice(["News from the town.", "This happened in our town.", "The week in short."]), *told])


def talk(rng: Random) -> str:
    """Question and reply about one event."""
    s = line(rng, rng.choice(["object", "place", "companion"]))
    a, b = rng.sample([p for p in PEOPLE if p not in s.subject], 2)
    yes = rng.random() < 0.5
    reply = f"Yes. {render(s)}" if yes else f"No. {negative(s)}"
    if is_held_out(question(s)):
        return news(rng)
    return f'{rng.choice(["", f"{a} met {b}. "])}"{question(s)}" asked {a}. "{reply}" said {b}.'


def asked_parts(rng: Random) -> str:
    """An event and what one may ask about it."""
    s = line(rng, "object", "place", "time", tense=rng.choice(["past", "present", "future"]))
    told = [render(s)]
    who, verb = lower_first(s.subject), conjugate(s.verb, s.tense, s.subject)
    told += rng.sample(
        [
            f"Who did it? It was {who}.",
            f"Where was that? {finish(s.place)}" if s.place else f"Who was it? {finish(s.subject)}",
            f"When was it? {finish(s.time)}",
            f"What was it about? {finish(s.object)}",
            f"The verb of this sentence is {verb}.",
            f"The sentence has {len(words(render(s)))} words.",
            f"Its first word is {words(render(s))[0]}.",
            f"Its last word is {words(render(s))[-1]}.",
            f"The shortest word in it is {min(words(render(s)), key=len)}.",
            f"The longest word in it is {max(words(render(s)), key=len)}.",
        ],
        3,
    )
    return " ".join(told)


def grammar_page(rng: Random) -> str:
    """The forms of one sentence, as a grammar book tells them."""
    s = line(rng, neutral=True)
    forms = {"past": "yesterday", "present": "now", "future": "later"}
    told = [f"For {when} we say: {render(replace(s, tense=tense))}" for tense, when in forms.items()]
    told += [
        f"The question is: {question(s)}",
        f"With not it becomes: {negative(s)}",
        f"About the past one asks: {question(replace(s, tense='past'))}",
        f"For a plan one asks: {question(replace(s, tense='future'))}",
        f"To deny the past one says: {negative(replace(s, tense='past'))}",
        f"If I did it myself: {render(replace(s, subject='I'))}",
        f"Instead of {lower_first(s.subject)} one can say {subject_pronoun(s.subject)[0]}.",
    ]
    told = [t for t in told if not is_held_out(t.split(": ")[-1])]
    return " ".join(rng.sample(told, min(len(told), rng.randint(3, 4))))


def gifts(rng: Random) -> str:
    """Who gives what to whom."""
    told = []
    for _ in range(rng.randint(2, 3)):
        s = line(rng, "recipient", tense="past", animal=False)
        who = s.recipient
        after = rng.choice([f"So {who} has it now.", f"{who} got it and said thank you.", f"It was for {who}."])
        told.append(f"{render(s)} {after}")
    return " ".join(told)


def because_page(rng: Random) -> str:
    """Reasons, contrasts and additions in joined sentences."""
    told = [render(line(rng, "reason"))]
    for word in rng.sample(["and", "but", "so", "and"], 2):
        a, b = line(rng, tense="past"), line(rng, tense="past")
        told.append(f"{render(a)[:-1]} {word} {lower_first(render(b))}")
    return " ".join(told)


def letters(rng: Random) -> str:
    """A letter, and who wrote it to whom."""
    text = usable(rng, lambda r: message(r, r.choice([event_line, phone_line])(r)) if r.random() < 0.6 else message(r))
    people = names_in(text)
    after = rng.choice([f"This letter is from {people[-1]} to {people[0]}.", f"{people[0]} read it twice.", ""])
    return f"{text}\n{after}".strip()


def notices(rng: Random) -> str:
    """Advertisements and notes on events, with their price, day, hour and room."""
    told = []
    for _ in range(2):
        text = usable(rng, rng.choice([advertisement, event_line, phone_line]))
        told.append(text)
        facts = [
            (r"(\d+ (?:dollars|euros|pounds|coins))", "The price is {}."),
            (r"room (\d+)", "One must look for room {}."),
            (rf"({'|'.join(DAYS)})", "The day is {}."),
            (r"\bat (\d{1,2})\b(?!-)", "It starts at {}."),
        ]
        found = [
            form.format(m.group(1))
            for pattern, form in facts
            if (m := re.search(pattern, text)) and "price" not in text
        ]
        told += rng.sample(found, min(1, len(found)))
    return " ".join(told)


def animal_tale(rng: Random) -> str:
    """A small tale, sometimes with its title."""
    return usable(rng, tale)


def three_steps(rng: Random) -> str:
    """Three events, and which was the first, second or last."""
    steps = story(rng)
    if is_held_out(" ".join(steps)):
        return three_steps(rng)
    bare = [re.sub(r"^(?:First|Then|Finally|After that|In the end) ", "", s) for s in steps]
    which = rng.randrange(3)
    name = ("first", "second", "last")[which]
    return " ".join([*steps, rng.choice([f"The {name} thing: {finish(bare[which][:-1])}", ""])]).strip()


def topics(rng: Random) -> str:
    """A text with one main sentence."""
    return usable(rng, topic_text)


def weather_report(rng: Random) -> str:
    """The weather of two or three days."""
    days, skies = rng.sample(DAYS, 3), rng.sample(_WEATHER, 3)
    return (
        f"The weather this week. {days[0]} will be {skies[0]}. On {days[1]} it will be {skies[1]}, "
        f"with {rng.randint(2, 30)} degrees. "
        f"{rng.choice(['Take a coat', 'Stay at home', 'Wear a hat'])} on {days[2]}, because it will be {skies[2]}."
    )


def contrast(rng: Random) -> str:
    """Two people whose things differ by an opposite or a colour."""
    a, b = rng.sample(PEOPLE, 2)
    noun = rng.choice(bag("coat hat chair table lamp boat bed ball door box cup clock"))
    x, y = (
        rng.choice(sorted((k, v) for k, v in OPPOSITES.items() if k in SIZES))
        if rng.random() < 0.6
        else tuple(rng.sample(COLOURS, 2))
    )
    told = [
        f"{a} has one {x} {noun}, but the {noun} of {b} is {y}.",
        f"{a} and {b} both have {plural(noun)}.",
        f"They {be('They', 'present')} good friends.",
        f"{b} does not want {article(x)} {noun}.",
        f"The {y} {noun} was cheaper.",
    ]
    return " ".join([told[0], *rng.sample(told[1:], 2)])


def crowd(rng: Random) -> str:
    """Who was at a place."""
    people, place = rng.sample(PEOPLE, 3), rng.choice(TOWN_PLACES)
    s = line(rng, tense="past", subject=people[0], neutral=True)
    met, helped = rng.choice(["met", "were", "waited"]), rng.choice(["laughed", "watched", "helped", "sang"])
    end = f"{people[1]} {helped}, and {people[2]} came {rng.choice(['late', 'first', 'last'])}."
    return f"{join(people)} {met} at the {place}. {render(s)} {end}"


PROSE: list[Callable[[Random], str]] = [
    day_story,
    diary,
    news,
    talk,
    asked_parts,
    grammar_page,
    gifts,
    because_page,
    letters,
    notices,
    animal_tale,
    three_steps,
    topics,
    weather_report,
    contrast,
    crowd,
]
