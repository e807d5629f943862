"""Kinds that change adjectives, join and split sentences, and write them from their parts."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tiny_world.kind import Kind
from tiny_world.kinds.sentences import lines
from tiny_world.kinds.text_composing import completion, from_keywords, list_to_sentence
from tiny_world.kinds.text_edits import (
    DESCRIBED,
    draw_cause,
    draw_joined,
    draw_pair,
    drawn,
    joined,
    more_adjective,
    no_adjective,
    opposite_adjective,
    other_colour,
    solved,
    split,
)

PROSE: list[Callable[[Random], str]] = []

KINDS = [
    Kind(
        "remove_adjective",
        "Rewriting",
        "In this task you are given a sentence with one adjective. Your task is to write the sentence without the "
        "adjective.",
        *solved(drawn(**DESCRIBED), no_adjective),
        lines("""
         [Remove|Delete|Drop] the adjective.
         [Write|Say] the sentence without its describing word.
         Take out the word that describes, and keep all others.
         The text should be plain. Leave the adjective away.
         How is the sentence if we do not describe the thing?
         [Please|] strip off the adjective [here|].
         You get a sentence. Answer with it minus the adjective.
         One describing word is too much. Cross it out.
         Colour, size or age do not matter. [Cut|Skip] such words.
         Make the noun stand alone, with no quality before it.
         """),
        lines("""
         Remove the adjective from: {input}
         [Write|Say] without the describing word: {input}
         """),
    ),
    Kind(
        "add_adjective",
        "Rewriting",
        "In this task you are given a sentence. Your task is to add one adjective or colour before a noun and to "
        "write the result.",
        *more_adjective(),
        lines("""
         Add an adjective.
         Describe the thing with one [more|extra] word.
         [Put|Insert] a colour or another adjective before the noun.
         The sentence is too plain. [Decorate|Enrich] it with one word.
         How big, old or red is it? [Add|Include] such a word.
         [Please|] insert a describing word somewhere.
         You get a sentence. Answer with one adjective more.
         Make it more vivid by a single added word.
         Which quality may the object have? Write it into the sentence.
         Extend the sentence with an adjective of your choice.
         """),
        lines("""
         Add an adjective to: {input}
         [Insert|Put] a describing word into: {input}
         """),
    ),
    Kind(
        "replace_colour",
        "Rewriting",
        "In this task you are given a sentence with a colour. Your task is to replace the colour by a different one.",
        *solved(drawn(kinds=("thing", "clothes", "vehicle", "box")), other_colour),
        lines("""
         Replace the colour by another [one|colour].
         Paint the thing in a new colour and [write|give] the sentence.
         [Change|Exchange] only the colour word.
         It should not have this colour. Choose a different one.
         What if the thing [were|was] of some other colour?
         [Please|] swap the colour for a new one.
         You get a sentence with a colour. Recolour it.
         The printer has run out of this ink. Use any other.
         Same sentence, different colour.
         Dip the object into other paint.
         """),
        lines("""
         Change the colour in: {input}
         [Use|Choose] another colour: {input}
         """),
    ),
    Kind(
        "opposite_in_sentence",
        "Rewriting",
        "In this task you are given a sentence with an adjective. Your task is to replace the adjective by its "
        "opposite.",
        *solved(drawn(**DESCRIBED), opposite_adjective),
        lines("""
         Replace the adjective by its opposite.
         [Change|Turn] the describing word into the contrary.
         [Write|Say] the sentence with the opposite quality.
         Big becomes small, old becomes new. [Do this|Adapt the sentence].
         What if the thing were just the contrary?
         [Please|] reverse the quality that is mentioned.
         You get a sentence. Use the antonym of its adjective.
         The description is exactly wrong. [Correct|Reverse] it.
         Swap one word for the word with the opposite meaning.
         Keep everything but say the contrary of how it is.
         """),
        lines("""
         Use the opposite adjective in: {input}
         [Reverse|Turn around] the quality in: {input}
         """),
    ),
    Kind(
        "join_with_and",
        "Rewriting",
        "In this task you are given two sentences. Your task is to join them into one sentence with the word and.",
        *solved(draw_pair, joined("and")),
        lines("""
         Join the [two|] sentences with and.
         [Make|Form] one sentence of these two, using and.
         [Connect|Link] both statements by the word and.
         The text sounds choppy. Put an and between its parts.
         [Please|] combine them with and.
         You get two sentences. Answer with a single one that has and.
         Take away the full stop in the middle and say and instead.
         Two short sentences should become a long one with and.
         How do you write both in one breath, with and?
         Both facts belong together. Let and hold them.
         Add a conjunction, namely and, [between|to tie] the two statements.
         """),
    ),
    Kind(
        "join_with_because",
        "Rewriting",
        "In this task you are given two sentences, of which the second is the reason. Your task is to join them "
        "with because.",
        *solved(draw_cause, joined("because")),
        lines("""
         Join the [two|] sentences with because.
         [Make|Form] one sentence that tells the reason with because.
         [Connect|Link] effect and cause by the word because.
         The second sentence explains the first. Show that with because.
         [Please|] combine them into a because sentence.
         You get a fact and its reason. Put both together.
         Replace the full stop in the middle by because.
         Why is the first thing so? Say it in one sentence.
         Write cause and effect in a single sentence.
         The word because should [link|tie] both facts.
         Tell what happens and, after because, why.
         """),
    ),
    Kind(
        "split_sentence",
        "Rewriting",
        "In this task you are given a long sentence joined by and or but. Your task is to split it into two sentences.",
        *solved(draw_joined, lambda text, slots: [r] if (r := split(text)) else None),
        lines("""
         Split it into two sentences.
         [Make|Form] two short sentences of the long one.
         [Cut|Divide] the sentence where and or but stands.
         This is too long for one breath. Write it as two.
         [Please|] separate both statements with a full stop.
         You get a joined sentence. Answer with its two parts.
         Take out the word that connects and begin anew there.
         For young readers I need shorter sentences. [Break|Divide] this up.
         Which two sentences are hidden in this one?
         Undo the joining: [write|show] each statement by itself.
         A full stop should replace the little connecting word.
         """),
    ),
    Kind(
        "complete_sentence",
        "Writing",
        "In this task you are given the beginning of a sentence. Your task is to complete it and write the whole "
        "sentence.",
        *completion(),
        lines("""
         Complete the sentence.
         How could [it|the sentence] go on? Write all of it.
         [Finish|End] what was begun here.
         Here is the start of a sentence. Continue it.
         [Add|Find] words until the sentence is whole.
         [Please|] write the sentence to its end.
         You get some first words. Answer with a full sentence.
         The speaker was interrupted. What did he want to say?
         Replace the three dots by something fitting.
         Think of an ending for this and give the whole.
         """),
    ),
    Kind(
        "list_to_sentence",
        "Writing",
        "In this task you are given a list of things. Your task is to write one sentence that mentions all of them.",
        *list_to_sentence(),
        lines("""
         Turn the list into a sentence.
         [Write|Make] one sentence with all of these [things|items].
         [Use|Mention] everything on the list in a single sentence.
         The list is too short for a letter. Write it out.
         What sentence contains each of these things?
         [Please|] tell someone about these items in a full sentence.
         You get a list with commas. Answer with a sentence and a full stop.
         No item may be missing: [form|say] a sentence.
         A diary has sentences, not lists. Convert this.
         Speak of all these at once, with and before the last.
         """),
    ),
    Kind(
        "sentence_from_keywords",
        "Writing",
        "In this task you are given keywords: a person, a thing and a place. Your task is to write a sentence that "
        "uses them all.",
        *from_keywords(),
        lines("""
         Write a sentence with these [key|] words.
         [Make|Form] a sentence from the keywords.
         [Use|Include] all the words in one sentence.
         What could have happened? These words must occur.
         [Please|] build a sentence around the given words.
         You get a person, a thing and a place. Say what happens.
         Tell something short in which each keyword appears.
         These are my notes. [Write|Give] the full sentence behind them.
         Invent an event from these terms.
         Combine person, object and place in a statement.
         """),
    ),
    Kind(
        "join_with_but",
        "Rewriting",
        "In this task you are given two sentences. Your task is to join them into one sentence with the word but.",
        *solved(draw_pair, joined("but")),
        far=True,
    ),
]
