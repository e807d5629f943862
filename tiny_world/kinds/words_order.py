"""Kinds on numbers in words and digits, ordinals, the calendar, and the preposition that a word demands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from tiny_world.kind import Kind, by_rule, lookup, normalize
from tiny_world.kinds.words import Prose, teller, words
from tiny_world.world import DAYS, MONTHS, NUMBER_WORDS, PEOPLE

TENS = words("_ _ twenty thirty forty fifty sixty seventy eighty ninety")
ORDINALS = words("zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
                 "fourteenth "
                 "fifteenth sixteenth seventeenth eighteenth nineteenth")  # fmt: skip
AFTER = {"afraid": "of", "proud": "of", "tired": "of", "full": "of", "fond": "of", "made": "of", "good": "at",
"bad": "at",
         "listens": "to", "belongs": "to", "listened": "to", "waits": "for", "waited": "for", "paid": "for",
         "asked": "for",
         "looked": "at", "laughed": "at", "interested": "in", "depends": "on", "angry": "with", "agrees": "with",
         "famous": "for", "married": "to", "different": "from"}  # fmt: skip
THING_AFTER = {"of": "dogs cats music", "at": "the_clown the_sky Anna",
               "to": "the_radio her_brother Tom music", "for": "the_bus lunch some_help its_bread",
               "in": "old_maps music stars",
               "on": "the_weather his_aunt", "with": "his_sister the_teacher",
               "from": "the_others her_mother"}  # fmt: skip
OWN_THINGS = {"good": "chess maths swimming", "bad": "chess maths swimming", "full": "ideas hope",
"made": "stone wood", "proud": "her_son Tom",
              "famous": "its_bread his_songs", "married": "Tom Anna", "paid": "lunch the_book",
              "tired": "waiting the_rain"}  # fmt: skip
NEXT = [tuple(row[(i + k) % len(row)] for k in range(4)) for row in (DAYS, MONTHS) for i in range(len(row))]
NEEDS_BE = set(words("afraid proud tired full fond made good bad interested angry famous married different"))


def number_words(number: int) -> str:
    """0 to 999 in words."""
    if number >= 100:
        rest = number % 100
        return f"{NUMBER_WORDS[number // 100]} hundred" + (f" and {number_words(rest)}" if rest else "")
    if number <= 20:
        return NUMBER_WORDS[number]
    tens, ones = divmod(number, 10)
    return TENS[tens] + (f"-{NUMBER_WORDS[ones]}" if ones else "")


def ordinal_words(number: int) -> str:
    """1 to 999 as first, second, ..."""
    if number >= 100:
        rest = number % 100
        return f"{NUMBER_WORDS[number // 100]} hundred" + (f" and {ordinal_words(rest)}" if rest else "th")
    if number < 20:
        return ORDINALS[number]
    tens, ones = divmod(number, 10)
    return f"{TENS[tens]}-{ORDINALS[ones]}" if ones else TENS[tens][:-1] + "ieth"


WORDS_OF = {str(n): number_words(n) for n in range(1, 141)}


_STEPS = {"right after": 1, "right before": -1, "two after": 2, "two before": -2, "three after": 3, "three before": -3}


def calendar(input: str, slots: Mapping[str, str]) -> list[str] | None:
    """The day or month that stands some steps before or after the one named: 'two after Monday'."""
    match = re.fullmatch(r"(.+ (?:after|before)) (\w+)", normalize(input))
    for row in (DAYS, MONTHS):
        names = [n.lower() for n in row]
        if match and match[1] in _STEPS and match[2] in names:
            return [row[(names.index(match[2]) + _STEPS[match[1]]) % len(row)]]
    return None


def draw_gap(rng: Random) -> str:
    """A sentence that lacks its preposition."""
    if rng.random() < 0.35:
        what, verb = (
            rng.choice(words("class lesson party concert game meeting film")),
            rng.choice(words("starts begins is ends")),
        )
        return f"The {what} {verb} ___ {rng.choice([*DAYS, *MONTHS, 'noon', 'midnight'])}."
    word = rng.choice(sorted(AFTER))
    thing = rng.choice(OWN_THINGS.get(word, THING_AFTER[AFTER[word]]).split()).replace("_", " ")
    return f"{rng.choice(PEOPLE)} {'is ' if word in NEEDS_BE else ''}{word} ___ {thing}."


def fill_gap(input: str, slots: Mapping[str, str]) -> list[str] | None:
    """The preposition that the word before or after the gap demands."""
    match = re.search(r"(\w+) _+ (\w+)", input)
    if not match:
        return None
    time = {**dict.fromkeys(DAYS, "on"), **dict.fromkeys(MONTHS, "in"), "noon": "at", "midnight": "at"}
    answer = AFTER.get(match[1].lower()) or time.get(match[2])
    return [answer] if answer else None


KINDS: list[Kind] = [
    Kind("digits_to_words", "Numbers",
         "In this task you are given a whole number written in digits. Your task is to write the number out in "
         "English words.",
         *lookup(WORDS_OF),
         ("[Write|Spell] this whole number as a word.", "How do you say this number?",
          "[Turn|Change] the digits into [words|a number word].", "On a cheque the amount is written out. Do so here.",
          "Which number word stands for these figures?", "Read the figures aloud and write what you say.",
          "[Please|] give the number in letters instead of digits.",
          "You see digits; answer with the [English|] number word.", "Express the [figure|number] using words only.",
          "A child is learning to count: [write|tell her] the name of this number.",
          "No digits allowed: write the number out.", "What is this number called in English?"),
         ("How is {input} written in words?", "Spell out the number {input}.", "Write {input} as a word.",
          "What do we call the number {input} in English?")),
    Kind("words_to_digits", "Numbers",
         "You are given a number written out in English words. Your task is to write this number in digits.",
         *lookup({WORDS_OF[str(n)]: str(n) for n in range(1, 141)}),
         ("[Write|Give] the number in digits.", "[Turn|Change] the number word into [digits|figures].",
          "Which figures stand for this number word?", "How is it written on a calculator?",
          "Type the number with digit keys.", "[Please|] replace the words by numerals.",
          "The number is spelled out; show it as a numeral.", "You read a number in letters. Note it in figures.",
          "I need figures for my table, not words. [Convert|Rewrite] this.", "What number is that, in digits?",
          "Express the word as an ordinary numeral.", "[Put|Note] down the number using 0 to 9."),
         ("Write {input} in digits.", "What is {input} as a figure?", "Which digits make {input}?",
          "How do you write the number {input} with numerals?")),
    Kind("ordinal", "Numbers",
         "In this task you are given a counting number in words. Write its ordinal, the form that tells the position "
         "in a row.",
         *lookup({number_words(n): ordinal_words(n) for n in range(1, 141)}),
         ("[Write|Give] the ordinal [number|].", "[Turn|Change] the counting number into an ordinal.",
          "One gives first, two gives second. What does this give?",
          "If a runner comes in at this place, she is the what?", "Which word [names|tells] the position in a row?",
          "[Please|] form the ordinal of the number.",
          "You get a number like four. [Answer|Reply] like fourth.",
          "The guests are numbered. Write the word for the guest with this number.", "Make a rank out of the number.",
          "How do you say it when it is about order, not amount?",
          "On which birthday do you reach this age? Write the ordinal.",
          "Put the number in the form for [dates|places] and floors."),
         ("What is the ordinal of {input}?", "After {input} comes which rank? Write {input} as an ordinal.",
          "Number {input} in the row is called the what?", "Write {input} in its ordinal form.")),
    Kind("calendar", "Ordering",
         "In this task you are given the name of a day or a month and a step before or after it. Work out which day "
         "or month is meant and write its name.",
         *by_rule(lambda rng: f"{rng.choice(sorted(_STEPS))} {rng.choice([*DAYS, *MONTHS])}", calendar),
         ("[Which|What] day or month is meant?", "[Name|Write] the day or month described.",
          "Count along the calendar and give the name.", "Where do you land on the calendar?",
          "Find the day of the week or the month from the clue.",
          "Go forward or back as told, then name the day or month.", "[Please|] work out the right day or month.",
          "I lost my calendar. Tell me which day or month this is.",
          "The week has seven days and the year twelve months. Find this one.",
          "Step through the days or months as the words say.", "Solve the little calendar puzzle.",
          "Say what it is called: a day or a month at that distance."),
         ("Which day or month comes {input}?", "What is the day or month {input}?", "Name the day or month {input}.",
          "On the calendar, what stands {input}?")),
    Kind("preposition", "Grammar",
         "You are given a sentence with a gap. Your task is to find the preposition that fits in the gap and write "
         "only this word.",
         *by_rule(draw_gap, fill_gap),
         ("[Fill|Complete] the gap with a preposition.", "Which preposition is missing?",
          "[Write|Give] the little word that belongs in the blank.",
          "Of, at, to, for, in, on, with or from: which one fits?",
          "[Choose|Find] the right preposition for the sentence.",
          "What goes in the empty place?", "A word is missing from my sentence. [Supply|Write] it.",
          "[Please|] complete with the correct preposition.",
          "In this grammar exercise, only prepositions are left out.",
          "The blank needs one short word, such as of or at.",
          "Non-native speakers often get this preposition wrong. What is right?",
          "Replace the line by the fitting preposition."),
         ("Which preposition completes \"{input}\"", "Fill in the blank: {input}",
          "What word is missing in \"{input}\"", "Find the missing preposition: {input}")),
]  # fmt: skip

PROSE: list[Prose] = [
    teller([(str(n), number_words(n), ordinal_words(n)) for n in range(1, 141)],
           ("{0} is written {1}.", "{1} is {0} in figures.", "Number {1} in a row is the {2}.",
            "After {1} we say {2}.", "{0}: {1}, {2}.", "The ordinal of {1} is {2}.")),
    teller(NEXT,
           ("After {0} comes {1}.", "{0} comes right before {1}.", "{0}, {1}, {2}, {3}.", "Two after {0} is {2}.",
            "Three before {3} is {0}.", "Three after {0} is {3}.", "Two before {2} is {0}.")),
    teller(sorted(AFTER.items()), ("We say {0} {1}.", "After {0} comes {1}.", "{0} goes with {1}.",
    "{0} {1} something.")),
]  # fmt: skip
