"""Kinds on the words of a sentence as words: the first, the last, the longest, how many; and the reason it gives."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tiny_world.kind import Kind
from tiny_world.kinds.extraction import part
from tiny_world.kinds.extraction_words import rule
from tiny_world.kinds.sentences import lines, words
from tiny_world.world import NUMBER_WORDS

PROSE: list[Callable[[Random], str]] = []


def longest(text: str) -> list[str]:
    """The longest word where no other is as long."""
    found = list(dict.fromkeys(words(text)))
    top = max((len(w) for w in found), default=0)
    best = [w for w in found if len(w) == top]
    return best if len(best) == 1 and len(found) > 2 else []


def shortest(text: str) -> list[str]:
    """The shortest word where no other is as short."""
    found = list(dict.fromkeys(w.lower() for w in words(text)))
    low = min((len(w) for w in found), default=0)
    best = [w for w in found if len(w) == low]
    return best if len(best) == 1 and len(found) > 2 else []


def at(index: int) -> Callable[[str], list[str]]:
    """The word at a position."""
    return lambda text: [words(text)[index]] if len(words(text)) > 2 else []


def word_count(text: str) -> list[str]:
    """How many words, as figure and as word."""
    count = len(words(text))
    return [str(count), NUMBER_WORDS[count]] if 2 < count <= 20 else []


KINDS = [
    Kind(
        "longest_word",
        "Counting",
        "In this task you are given a sentence. Your task is to find the word with the most letters and to write "
        "only this word.",
        *rule(longest),
        lines("""
         [Which|What] is the longest word?
         [Find|Give|Write] the word with the most letters.
         [Copy|Pick] the longest of these words.
         Count letters. Which word [wins|has most]?
         For a word game I need the longest word [here|of the text].
         [Please|] tell me which word takes the most space.
         No word here is as long as one. [Name|Write] it.
         You get a sentence. Answer with its longest word.
         Which of the words would you need most time to [spell|write]?
         The word of greatest length, please.
         Compare the lengths of all words and [report|give] the winner.
         """),
        lines("""
         What is the longest word in: {input}
         [Find|Give] the word with the most letters: {input}
         {input} Which of these words is longest?
         """),
    ),
    Kind(
        "first_word",
        "Extraction",
        "In this task you are given a sentence. Your task is to write the word with which it begins.",
        *rule(at(0)),
        lines("""
         What is the first word?
         [Write|Copy|Give] the word at the beginning.
         With which word does [it|the sentence] [start|begin]?
         [Tell|Show] me only the opening word.
         [Keep|Take] word number one and drop everything after it.
         You get a sentence. Answer with its first word.
         Which word comes before all others?
         [Please|] extract the initial word.
         How does the sentence open? One word [will do|is enough].
         Stop reading after one word. What did you read?
         The leftmost word, please.
         """),
        lines("""
         What is the first word of: {input}
         [Copy|Write] the opening word: {input}
         {input} With which word did that begin?
         """),
    ),
    Kind(
        "last_word",
        "Extraction",
        "In this task you are given a sentence. Your task is to write the word with which it ends.",
        *rule(at(-1)),
        lines("""
         What is the last word?
         [Write|Copy|Give] the word at the end.
         With which word does [it|the sentence] [end|finish|stop]?
         [Tell|Show] me only the closing word.
         You get a sentence. Answer with its final word.
         Which word stands before the full stop?
         [Please|] extract the final word.
         No word follows this one. [Which is it|Write it].
         How does the sentence close? One word [will do|is enough].
         [Drop|Leave out] all words but the last.
         The rightmost word, please.
         """),
        lines("""
         What is the last word of: {input}
         [Copy|Write] the final word: {input}
         {input} With which word did that end?
         """),
    ),
    Kind(
        "word_count",
        "Counting",
        "In this task you are given a sentence. Your task is to count its words and write the number.",
        *rule(word_count),
        lines("""
         How many words [are there|does it have]?
         Count the words.
         [Give|Write|Tell me] the number of words in this sentence.
         [What is|State] the length of the sentence in words?
         A telegram costs money per word. For how many do I pay?
         [Please|] report the word count.
         You get a sentence. Answer with how many words it [has|contains].
         I may use only a few words. How long is mine?
         Of how many words [is|does] this [made|consist]?
         If each word gets a card, how many cards do I need?
         """),
        lines("""
         How many words are in: {input}
         Count the words: {input}
         {input} How many words was that?
         """),
    ),
    Kind(
        "shortest_word",
        "Counting",
        "In this task you are given a sentence. Your task is to find the word with the fewest letters and write it.",
        *rule(shortest),
        far=True,
    ),
    Kind(
        "why_was_it",
        "Extraction",
        "In this task you are given a sentence that tells why something happens. Your task is to write the reason.",
        *part(lambda s: [s.reason, f"because {s.reason}"] if s.reason else [], need=("reason",)),
        lines("""
         Why?
         [Find|Give|Name] the reason in the sentence.
         What is the cause of [it|this]?
         For what reason did they do [it|that]?
         [Copy|Write] only the words that come after because.
         [Tell|Show] me why this [happens|happened].
         A child asks why. [Answer|Reply] from the text.
         [Please|] extract the explanation.
         What made the person [or animal|] act like this?
         Everything has a cause. Which one [stands|is given] here?
         You get a sentence. Answer with the reason it [gives|states].
         How does the text explain what [was done|happened]?
         """),
        lines("""
         Why did this happen: {input}
         [Find|Give] the reason in: {input}
         {input} What was the reason?
         """),
    ),
]
