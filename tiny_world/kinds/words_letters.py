"""Kinds on the letters and parts of words: first and last letter, spelling, capitals, initials, compounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random

from tiny_world.kind import Draw, Judge, Kind, by_rule, lookup, normalize
from tiny_world.kinds.words import Prose, pairs, teller, words
from tiny_world.kinds.words_forms import NOUNS, PASTS, VERBS
from tiny_world.world import ANIMALS, DAYS, FOODS, JOBS, MONTHS, NUMBER_WORDS, PEOPLE, THINGS, WOMEN

SHORT_WORDS = sorted({w for w in [*NOUNS, *VERBS, *ANIMALS, *FOODS, *THINGS] if 3 <= len(w) <= 6 and w.isalpha()})
LAST_NAMES = words("Brown Green King Baker Smith Wood Hill Stone Lake Fox Young Carter Evans Hall Irving Jones Lopez "
                   "Moore "
                   "Nolan Owens Parker Quinn Reed Stewart Taylor Underwood Vance Walker Yates Adams Davis")  # fmt: skip
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


KINDS: list[Kind] = [
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
         *letter_kind(lambda w: [str(len(w)), NUMBER_WORDS[len(w)]]),
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
          "How long is the word {input}?", "{input}: how many letters is that?")),
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
]  # fmt: skip

PROSE: list[Prose] = [
    teller([(w, w[0], w[-1], "-".join(w), str(len(w))) for w in SHORT_WORDS],
           ("The word {0} begins with {1} and ends with {2}.", "{0} is spelled {3}.", "{0} has {4} letters: {3}.",
            "The first letter of {0} is {1}.", "The last letter of {0} is {2}.", "There are {4} letters in {0}.")),
    teller([(a, b, a + b) for a, b in COMPOUNDS], ("{2} is made of {0} and {1}.", "{0} and {1} together make {2}.",
    "The compound {2} has two parts, {0} and {1}.", "{0} + {1} = {2}.")),
]  # fmt: skip
