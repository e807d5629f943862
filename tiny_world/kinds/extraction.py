"""Kinds that find a part of one sentence: who, what, where, when, why, which colour, how many."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from tiny_world.kind import Draw, Judge, Kind, by_rule
from tiny_world.kinds.sentence_words import plural
from tiny_world.kinds.sentences import Sentence, draw_sentence, lines, lower_first, parse, render, words
from tiny_world.world import COLOURS, NUMBER_WORDS

PROSE: list[Callable[[Random], str]] = []
_NUMBER = re.compile(r"\d+")


def draw_until(rng: Random, fits: Callable[[str], bool], **need: object) -> str:
    """A drawn sentence that fits."""
    while True:
        text = render(draw_sentence(rng, **need))  # type: ignore[arg-type]
        if fits(text):
            return text


def part(find: Callable[[Sentence], Sequence[str]], **need: object) -> tuple[Draw, Judge]:
    """Draw a sentence that has the part, and judge by reading the sentence; empty parts do not fit the task."""

    def solve(input: str, slots: object) -> Sequence[str] | None:
        s = parse(input)
        found = [f for f in find(s) if f] if s else []
        return found or None

    def draw_input(rng: Random) -> str:
        return draw_until(rng, lambda text: bool(solve(text, {})), **need)

    return by_rule(draw_input, solve)


def one_of(vocabulary: Sequence[str], **need: object) -> tuple[Draw, Judge]:
    """The only word of a vocabulary (singular or plural) that the sentence has."""
    forms = {form: noun for noun in vocabulary for form in (noun, plural(noun))}

    def solve(input: str, slots: object) -> Sequence[str] | None:
        text = input.lower()
        found = [f for f in sorted(forms, key=len, reverse=True) if re.search(rf"\b{f}\b", text)]
        found = [f for f in found if not any(f != g and f in g for g in found)]
        where = re.search(rf"\b{found[0]}\b", text) if len({forms[f] for f in found}) == 1 else None
        return (input[where.start() : where.end()], forms[found[0]]) if where else None

    def draw_input(rng: Random) -> str:
        return draw_until(rng, lambda text: bool(solve(text, {})), **need)

    return by_rule(draw_input, solve)


def without(phrase: str, pattern: str) -> str:
    """The phrase without the words at its beginning that the pattern names."""
    return re.sub(rf"^(?:{pattern})\s+", "", phrase)


def named(phrase: str) -> list[str]:
    """An object with and without its article."""
    return [phrase, without(phrase, "a|an|the|some")] if phrase else []


def numbers(text: str) -> list[str]:
    """Number words (from two on) and figures of a text."""
    return [w for w in words(text.lower()) if w in NUMBER_WORDS[2:] or _NUMBER.fullmatch(w)]


def counted(s: Sentence) -> list[str]:
    """The one number of the object, as a word and as a figure."""
    found = numbers(s.object)
    if len(found) != 1:
        return []
    word = found[0]
    return [word, str(NUMBER_WORDS.index(word))] if word in NUMBER_WORDS else [word]


def bought(s: Sentence) -> list[str]:
    """The object of buying."""
    return named(s.object) if s.verb == "buy" else []


def eaten(s: Sentence) -> list[str]:
    """The object of eating and drinking."""
    return named(s.object) if s.verb in ("eat", "drink") else []


KINDS = [
    Kind(
        "who_did_it",
        "Extraction",
        "In this task you are given a sentence in which a person or an animal does something. Your task is to name "
        "who does the action, copying the words of the sentence.",
        *part(lambda s: [lower_first(s.subject), without(s.subject, "The|the")]),
        lines("""
         Who did it?
         [Tell|Show] me who [does|performs] the action in this sentence.
         [Find|Name|Pick out] the person or animal that acts.
         Which [person|animal or person] is doing something here?
         You get a sentence. Write only the one who does something in it.
         Who is this sentence about?
         [Please|] write down the subject of the sentence.
         The [police|teacher] only [wants|needs] to know who it was. [Answer|Tell them].
         Someone acts in the text below. [Who is it|Give the name]?
         [Copy|Write] the words that say who [acted|did this].
         [Look at|Read] the sentence and [say|answer]: who?
         Of whom or what is something told?
         For the report I need the [doer|actor] of this event.
         """),
        lines("""
         Who does something in this sentence: {input}
         {input} Who was it?
         Name the doer: {input}
         Who is the sentence "{input}" about?
         """),
    ),
    Kind(
        "where_was_it",
        "Extraction",
        "In this task you are given a sentence that tells what happens and in which place. Your task is to write "
        "the place where it happens.",
        *part(
            lambda s: [s.place, without(s.place, r"\w+"), without(s.place, r"\w+ the")] if s.place else [],
            need=("place",),
        ),
        lines("""
         Where did [it|this] happen?
         [Find|Name|Give] the place in the sentence.
         In [which|what] place does this [happen|take place]?
         [Tell|Show] me where the person [is|was].
         Read the sentence. Then say where [it happens|the action is].
         [Write|Copy] only the words that [tell|say] where.
         I want to [meet|visit] them. Where [should|must] I [look|walk]?
         Which words of the sentence name a [location|place]?
         The reader asks: where? [Answer|Reply] from the text.
         [Please|] extract the location.
         What is the setting of this [event|scene]?
         Location [only|please].
         At what spot [are|were] they when this happens?
         """),
        lines("""
         Where did this happen: {input}
         {input} Where was that?
         [Find|Name] the place in: {input}
         What location does "{input}" mention?
         """),
    ),
    Kind(
        "when_was_it",
        "Extraction",
        "In this task you are given a sentence that tells at what time something happens. Your task is to find the "
        "words for the time and write them.",
        *part(lambda s: [s.time, without(s.time, "on|in|at")] if s.time else [], need=("time",)),
        lines("""
         When did [it|this] happen?
         [Find|Give|Name] the time in the sentence.
         [Tell|Show] me when this [happens|takes place].
         Which words [say|tell us] when?
         At what time does the person do [it|this]?
         [Copy|Write] only the [words|part] that [names|gives] the time.
         I am filling in my calendar. When is this?
         The reader asks: when? [Answer|Reply] from the text.
         You get a sentence. Look for the time and [write|report] it.
         [Please|] extract the time expression.
         On which day or at what moment [was|is] that?
         Time [only|please], nothing else.
         """),
        lines("""
         When did this happen: {input}
         {input} When was that?
         [Find|Name] the time in: {input}
         What time does "{input}" mention?
         """),
    ),
    Kind(
        "what_was_bought",
        "Extraction",
        "In this task you are given a sentence about shopping, in which somebody buys something. Your task is to "
        "write what is bought.",
        *part(bought, verbs=("buy",), kinds=("food", "thing", "clothes"), animal=False),
        lines("""
         What was bought?
         [Find|Name|Give] the thing that [someone|the person] buys.
         What did the [customer|shopper|buyer] get?
         [Tell|Show] me what the shopper [pays for|takes home].
         Which [goods|product] does this sentence say were bought?
         A person went shopping. [Write|Say] what is in the bag.
         [Copy|Write] only what they [bought|buy].
         I keep a list of [purchases|shopping]. What [should|do] I add?
         For the shop: what was sold to this customer?
         [Please|] extract the [purchase|purchased item].
         Somebody spends money here. On what?
         [Read|Look at] the sentence about shopping and name the [article|item].
         """),
        lines("""
         What was bought here: {input}
         {input} What did the buyer get?
         [Name|Find] the purchase in: {input}
         """),
    ),
    Kind(
        "what_was_eaten",
        "Extraction",
        "In this task you are given a sentence about a meal. Your task is to write what is eaten or drunk in it.",
        *part(eaten, verbs=("eat", "drink"), kinds=("food", "drink")),
        lines("""
         What did they eat or drink?
         [Find|Name|Give] the food or drink that is consumed.
         What was [in the mouth|on the table] of the person or animal?
         [Tell|Show] me what this [meal|snack] was.
         Someone has a meal in this sentence. What do they [have|get]?
         [Write|Copy] only what is eaten or drunk.
         The doctor wants to know what was [swallowed|eaten]. [Tell him|Answer].
         [Please|] extract the [meal|snack or drink].
         What went into the stomach?
         [Read|Look at] the sentence. What was for [lunch|dinner]?
         What is the object of eating or drinking here?
         """),
        lines("""
         What was eaten or drunk: {input}
         {input} What was the meal?
         Name what is consumed in: {input}
         """),
    ),
    Kind(
        "object_of_action",
        "Extraction",
        "In this task you are given a sentence with a verb and its object. Your task is to write the object: the "
        "thing, person or animal to which the action is done.",
        *part(lambda s: named(s.object), need=("object",)),
        lines("""
         [Find|Give|Write] the object of the [verb|sentence].
         What thing or person does the action [touch|reach]?
         To what or whom [is|was] it done?
         [Underline|Mark] the object: [write|copy] it [here|below].
         In grammar, which words are the object here?
         The verb acts on something. [Name it|What is it]?
         [Tell|Show] me what the verb is about, not who does it.
         [Please|] extract the grammatical object.
         Every action here has a target. Write the target.
         Subject, verb, object: [give|write] only the last of the three.
         What or whom? [Answer|Reply] with the words of the sentence.
         """),
        lines("""
         What is the object in this sentence: {input}
         [Find|Name] the object of the verb in: {input}
         {input} What or whom did it concern?
         """),
    ),
    Kind(
        "which_colour",
        "Extraction",
        "In this task you are given a sentence in which something has a colour. Your task is to find the colour "
        "and write that one word.",
        *one_of(COLOURS, kinds=("thing", "clothes", "vehicle", "box")),
        lines("""
         [Which|What] colour is [it|the thing]?
         [Find|Give|Name] the colour in the sentence.
         [Tell|Show] me the colour [that is mentioned|of the object].
         A painter needs one word from this sentence: the colour.
         [Write|Copy] only the colour word.
         You get a sentence. Which colour does it [name|mention]?
         [Please|] extract the colour.
         If you painted this [thing|object], which paint would you take?
         Something here is coloured. [How|In what colour]?
         One of the words is a colour. [Which one|Pick it out]?
         [Look|Search] for red, blue, green or another colour and write it.
         """),
        lines("""
         What colour is mentioned in: {input}
         {input} What colour was it?
         [Find|Name] the colour: {input}
         """),
    ),
    Kind(
        "how_many",
        "Extraction",
        "In this task you are given a sentence that counts some things. Your task is to tell how many there are.",
        *part(counted, kinds=("thing", "clothes", "food", "animal")),
        lines("""
         How many [are there|were there]?
         [Find|Give|Name] the number [of things|in the sentence].
         [Tell|Show] me how many things the sentence [counts|mentions].
         What [amount|number] is [named|mentioned]?
         [Write|Copy] the number word only.
         Somebody counted [something|the things]. What was the result?
         I am counting for a [list|shop]. How many [shall|do] I write?
         [Please|] extract the quantity.
         In this sentence there is more than one of something. How many exactly?
         Which word says how many?
         """),
        lines("""
         How many are mentioned in: {input}
         {input} How many was that?
         [Find|Give] the number in: {input}
         """),
    ),
    Kind(
        "with_whom",
        "Extraction",
        "In this task you are given a sentence in which a person does something together with a companion. Your "
        "task is to name the companion.",
        *part(lambda s: [s.companion], need=("companion",)),
        lines("""
         With whom?
         Who was the companion?
         [Find|Name] the person who [comes along|keeps company].
         [Tell|Show] me who else was [there|with them].
         Somebody is not alone here. Who is with [them|this person]?
         [Write|Copy] the name that [follows|comes after] the word with.
         Which friend [joins|helps] the person in this sentence?
         [Please|] extract the name of the [partner|companion].
         Two take part. Who is the second one?
         Together with which person does the [first one|subject] do this?
         I know who did it. But with whom?
         """),
        lines("""
         With whom did this happen: {input}
         {input} Who was with them?
         [Name|Find] the companion in: {input}
         """),
    ),
]
