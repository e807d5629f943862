"""Kinds on letters, numbers, order and small words: spelling, digits, ordinals, calendar, initials, prepositions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random

from kind import Draw, Judge, Kind, by_rule, lookup, normalize
from world import ANIMALS, DAYS, FOODS, JOBS, MONTHS, NUMBER_WORDS, PEOPLE, THINGS, WOMEN

from kinds.words import Prose, pairs, teller, words
from kinds.words_forms import NOUNS, PASTS, VERBS

SHORT_WORDS = sorted({w for w in [*NOUNS, *VERBS, *ANIMALS, *FOODS, *THINGS] if 3 <= len(w) <= 6 and w.isalpha()})
LAST_NAMES = words("Brown Green King Baker Smith Wood Hill Stone Lake Fox Young Carter Evans Hall Irving Jones Lopez "
                   "Moore "
                   "Nolan Owens Parker Quinn Reed Stewart Taylor Underwood Vance Walker Yates Adams Davis")  # fmt: skip
TENS = words("_ _ twenty thirty forty fifty sixty seventy eighty ninety")
ORDINALS = words("zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
                 "fourteenth "
                 "fifteenth sixteenth seventeenth eighteenth nineteenth")  # fmt: skip
COMPOUNDS = pairs("""rain bow, snow man, sun flower, foot ball, basket ball, butter fly, tooth brush, bed room, bath
room, class room,
book shop, book case, air port, sea side, sun light, moon light, day light, week end, birth day, sun day, grand mother,
grand father,
police man, fire man, fire place, fire wood, post man, post card, news paper, note book, key board, key hole, black
board, black bird,
blue berry, straw berry, pan cake, cup cake, cup board, tea pot, tea spoon, table spoon, water fall, water melon, pine
apple, gold fish,
star fish, jelly fish, cat fish, cow boy, horse shoe, lady bird, bee hive, dog house, green house, light house, farm
house, tree house,
door bell, door way, stair case, suit case, brief case, hand bag, hand shake, arm chair, wheel chair, hair cut, hair
brush, neck lace,
ear ring, eye brow, eye lid, finger nail, lip stick, sun glasses, rain coat, over coat, under ground, under water, out
side, in side,
up stairs, down stairs, any body, some thing, every one, no where, rail way, motor bike, air plane, space ship, sail
boat, steam ship,
side walk, cross road, high way, thunder storm, snow flake, snow ball, earth quake, home work, house wife, play ground,
back pack,
land lady, wind mill, camp fire, text book, tooth paste, grass hopper, honey moon, corn field, pop corn, chess board""")
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
DIGITS_OF = {normalize(w): n for n, w in WORDS_OF.items()}
ORDINAL_OF = {normalize(number_words(n)): ordinal_words(n) for n in range(1, 141)}


def one_word(input: str) -> str | None:
    """The input if it is a single word, in lower case."""
    word = normalize(input)
    return word if re.fullmatch(r"[a-z]{2,12}", word) else None


def letter_kind(change: Callable[[str], list[str]]) -> tuple[Draw, Judge]:
    """Make draw and judge for a rule on the letters of one word."""

    def solve(input: str, slots: Mapping[str, str]) -> list[str] | None:
        word = one_word(input)
        return change(word) if word else None

    return by_rule(lambda rng: rng.choice(SHORT_WORDS), solve)


def draw_words(rng: Random) -> str:
    """Two to four different short words."""
    return " ".join(rng.sample(SHORT_WORDS, rng.choice((2, 3, 3, 4))))


def reverse_words(input: str, slots: Mapping[str, str]) -> list[str] | None:
    """The words in the opposite order."""
    found = normalize(input).split()
    return [" ".join(reversed(found))] if 2 <= len(found) <= 6 else None


def draw_name(rng: Random) -> str:
    """A full name."""
    middle = [rng.choice(WOMEN)] if rng.random() < 0.2 else []
    return " ".join([rng.choice(PEOPLE), *middle, rng.choice(LAST_NAMES)])


def initials(input: str, slots: Mapping[str, str]) -> list[str] | None:
    """T. B. for Tom Brown."""
    found = normalize(input).split()
    if not 2 <= len(found) <= 4:
        return None
    letters = [w[0].upper() for w in found]
    return [". ".join(letters) + ".", "".join(letters)]


def draw_lower(rng: Random) -> str:
    """A sentence or name in small letters."""
    who, day = rng.choice(PEOPLE).lower(), rng.choice(DAYS).lower()
    return rng.choice([f"{who} {rng.choice([PASTS[v] for v in ('run', 'sleep', 'work', 'swim')])} on {day}.",
                       f"my friend {who} is a {rng.choice(sorted(JOBS))}.", f"we meet {who} on {day}.",
                       f"{who} was born in {rng.choice(MONTHS).lower()}."])  # fmt: skip


def capitalise(input: str, slots: Mapping[str, str]) -> list[str] | None:
    """Capital letters for the first word, names, days and months."""
    if not re.search(r"[a-z]", input):
        return None
    proper = {w.lower(): w for w in (*PEOPLE, *DAYS, *MONTHS)}
    text = re.sub(r"[a-z]+", lambda m: proper.get(m.group(), m.group()), input.strip())
    return [text[:1].upper() + text[1:]]


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
         ("[Write|Spell] the number in words.", "How do you say this number?",
          "[Turn|Change] the digits into [words|a number word].", "On a cheque the amount is written out. Do so here.",
          "Which number word stands for these figures?", "Read the figures aloud and write what you say.",
          "[Please|] give the number in letters instead of digits.",
          "You see digits; answer with the [English|] number word.", "Express the [figure|number] using words only.",
          "A child is learning to count: [write|tell her] the name of this number.",
          "No digits allowed: write the number out.", "What is the [English|] name of the number?"),
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
    Kind("first_letter", "Extraction",
         "In this task you are given a word. Your task is to find the letter that it begins with and write only that "
         "letter.",
         *letter_kind(lambda w: [w[0]]),
         ("[Write|Give] the first letter of the word.", "[Which|What] letter does the word begin with?",
          "With which letter does it start?", "Copy only the letter at the very beginning.",
          "Under which letter would you look it up in a dictionary?", "[Name|Say] the initial letter.",
          "I sort cards from A to Z. Which letter does this one go under?",
          "Take the word and keep nothing but its opening letter.",
          "[Please|] answer with the letter on the left end.", "A word is given: find its starting letter.",
          "What stands at the front of the word?", "Your answer is one letter, the first."),
         ("What is the first letter of {input}?", "Which letter does {input} start with?",
          "Name the letter at the beginning of {input}.", "{input} begins with what letter?")),
    Kind("last_letter", "Extraction",
         "You are given a word. Your task is to find the letter with which the word ends and write only that.",
         *letter_kind(lambda w: [w[-1]]),
         ("[Write|Give] the last letter of the word.", "[Which|What] letter does the word end in?",
          "Copy only the letter at the end.", "[Name|Say] the final letter.",
          "What stands at the right end of the word?",
          "In a word chain the next word begins with the final letter. Which one is it?",
          "Keep nothing but the closing letter.", "[Please|] find the ending letter.",
          "A word is given: with which letter does it finish?",
          "After all the other letters comes this one. Name it.", "Your answer is one letter, the last.",
          "Look at the tail of the word and note its letter."),
         ("What is the last letter of {input}?", "Which letter does {input} end with?",
          "Name the final letter of {input}.", "The word {input} finishes with what letter?")),
    Kind("count_letters", "Counting",
         "In this task you are given a short word. Count how many letters it has and write the number in digits.",
         *letter_kind(lambda w: [str(len(w)), number_words(len(w))]),
         ("[Count|Number] the letters of the word.", "How many letters does the word have?",
          "How long is the word, in letters?", "[Give|Write] the number of letters.",
          "Say how many characters the word is made of.",
          "A crossword needs the length of this word.", "[Please|] tell me the word's length.",
          "You get a short word; answer with how many letters it takes to write it.",
          "Each letter costs one coin. How many coins does this word cost?",
          "From the first letter to the last, how many are there?",
          "Find the length [of the word|] and give it as a number.",
          "I want to carve this word. How many letters must I carve?"),
         ("How many letters are in {input}?", "Count the letters in the word {input}.",
          "How long is the word {input}?", "What is the number of letters in {input}?")),
    Kind("spell", "Rewriting",
         "You are given a word. Your task is to spell it letter by letter, with a hyphen between the letters.",
         *letter_kind(lambda w: ["-".join(w), " ".join(w)]),
         ("[Spell|Write] the word with hyphens between the letters.", "[Spell|Write out] the word letter by letter.",
          "Separate all the letters by hyphens.", "How is it spelled? Put a dash between letters.",
          "Split the word into its single letters.", "On the telephone I must spell this. Show me how.",
          "[Please|] break the word up into letters joined by hyphens.", "You get a word; answer like c-a-t.",
          "A pupil spells aloud at a contest. Write what she says.", "Show each letter on its own, in order.",
          "Insert a hyphen after every letter but the last.", "Take the word apart, one letter at a time."),
         ("Spell {input} with hyphens.", "How do you spell {input}, letter by letter?",
          "Write the letters of {input} one by one.", "Put hyphens between the letters of {input}.")),
    Kind("first_and_last", "Extraction",
         "In this task you are given a word. Write the letter that it begins with and then the letter that it ends "
         "with, two letters with a space between.",
         *letter_kind(lambda w: [f"{w[0]} {w[-1]}"]), far=True),
    Kind("capitals", "Rewriting",
         "You are given a sentence written in small letters only. Rewrite it with capital letters where English needs "
         "them.",
         *by_rule(draw_lower, capitalise),
         ("[Add|Put in] the capital letters.", "[Rewrite|Copy] the sentence with correct capitals.",
          "Capitalise the first word and the names.", "Someone typed without the shift key. [Correct|Repair] it.",
          "Where are big letters needed? Write the sentence with them.", "Fix the capitalisation.",
          "Names, days and months begin with a capital. [Mend|Correct] this sentence.",
          "All is in small letters; write it properly.",
          "[Please|] make the right letters upper case.",
          "My message has no capitals at all. Clean it up for my boss.",
          "Use upper case as the rules of English demand.", "Change small letters to large ones where they belong."),
         ("Write with capitals: {input}", "Correct the capital letters in \"{input}\"",
          "Which letters of this should be big? {input}", "Capitalise this sentence properly: {input}")),
    Kind("reverse_words", "Ordering",
         "In this task you are given a few words. Your task is to write the same words in reverse order, the last one "
         "first.",
         *by_rule(draw_words, reverse_words),
         ("[Write|Repeat] the words in reverse order.", "Turn the order of the words around.",
          "Start with the last word and end with the first.",
          "[Say|Copy] the words backwards, but do not change the words.",
          "What is the list from back to front?",
          "The queue turns round: who is first is now last. Write the new order.",
          "[Please|] flip the order of the words.", "Read the row from right to left.",
          "Put the last word in front, and so on to the first.",
          "Memory game: name the words again, beginning with the latest.",
          "Reorder the words so that they run the other way.",
          "You get some words. Give them back in the opposite order."),
         ("Reverse the order of the words {input}.", "Write {input} with the words in the opposite order.",
          "What is {input} from the last word to the first?", "Say these words backwards, word by word: {input}.")),
    Kind("initials", "Extraction",
         "You are given the full name of a person. Your task is to write the initials, each with a full stop.",
         *by_rule(draw_name, initials),
         ("[Write|Give] the initials of the name.", "What are the person's initials?",
          "[Shorten|Reduce] the name to its initials.", "A painter signs with initials only. How does this one sign?",
          "Take the first letter of each part of the name.",
          "Abbreviate the full name, with full stops.", "[Please|] tell me the initials.",
          "We sew initials on towels. Which go on this person's?", "From a full name to capital letters with stops.",
          "Which letters would stand on her suitcase or his?", "You read a name; note just the initials.",
          "How is the name written in its shortest form?"),
         ("What are the initials of {input}?", "Write {input} as initials.", "Abbreviate the name {input}.",
          "{input} signs with initials. What are they?")),
    Kind("compound_parts", "Word Relations",
         "In this task you are given a compound word. Split it into the two words that it is made of and write them "
         "separated by a comma.",
         *lookup({a + b: [f"{a}, {b}"] for a, b in COMPOUNDS}),
         ("[Split|Divide] the compound into its two words.", "Which two words [make up|form] this one?",
          "[Name|Write] the two parts of the word.", "Take the long word apart into two short ones.",
          "What words were put together here?",
          "[Please|] break the compound word in two.", "Rainbow is rain and bow. What is this one made of?",
          "Find the two smaller words inside.", "Cut the word where two words meet.",
          "My class learns about compounds. Show the pieces of this example.",
          "Two words hide in one: write both, with a comma.", "Undo the joining of the words."),
         ("Which two words make {input}?", "Split {input} into two words.",
          "What are the parts of the compound {input}?", "Take {input} apart.")),
    Kind("make_compound", "Word Relations",
         "You are given two words separated by a comma. Your task is to join them into one compound word.",
         *by_rule(lambda rng: ", ".join(rng.choice(COMPOUNDS)),
                  lambda text, slots: [normalize(text).replace(" ",
                  "")] if len(normalize(text).split()) == 2 else None),
         ("[Join|Put] the two words together [into one|].", "What compound do the two words form?",
          "[Make|Build] one word from the pair.", "Write both as a single word, without a space.",
          "Glue the second word to the first.",
          "Rain and bow make rainbow. What do these make?", "[Please|] form the compound.",
          "Two short words become a long one. Which?", "Combine the pair.", "Close the gap between the words.",
          "A puzzle gives two halves of a word; write the whole.", "Which compound noun is built from these parts?"),
         ("What compound is made from {input}?", "Join {input} into one word.", "Combine these two: {input}.",
          "Which single word do {input} make?")),
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
    teller([(w, w[0], w[-1], "-".join(w), str(len(w))) for w in SHORT_WORDS],
           ("The word {0} begins with {1} and ends with {2}.", "{0} is spelled {3}.", "{0} has {4} letters: {3}.",
            "The first letter of {0} is {1}.", "The last letter of {0} is {2}.", "There are {4} letters in {0}.")),
    teller([(a, b, a + b) for a, b in COMPOUNDS], ("{2} is made of {0} and {1}.", "{0} and {1} together make {2}.",
    "The compound {2} has two parts, {0} and {1}.", "{0} + {1} = {2}.")),
    teller(NEXT,
           ("After {0} comes {1}.", "{0} comes right before {1}.", "{0}, {1}, {2}, {3}.", "Two after {0} is {2}.",
            "Three before {3} is {0}.", "Three after {0} is {3}.", "Two before {2} is {0}.")),
    teller(sorted(AFTER.items()), ("We say {0} {1}.", "After {0} comes {1}.", "{0} goes with {1}.",
    "{0} {1} something.")),
]  # fmt: skip
