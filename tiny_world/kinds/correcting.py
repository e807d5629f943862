"""Kinds that mend a sentence: mistakes, spelling, marks, capitals, order, gaps, tone."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tiny_world.kind import Kind
from tiny_world.kinds.sentences import draw_sentence, lines, render
from tiny_world.kinds.text_composing import (
    blank,
    capitals,
    draw_blank,
    draw_command,
    draw_informal,
    draw_plain,
    draw_unmarked,
    formal,
    mark,
    ordered,
    polite,
    restored,
)
from tiny_world.kinds.text_edits import break_grammar, exactly, grammar, misspell, solved, spelling

PROSE: list[Callable[[Random], str]] = []

KINDS = [
    Kind(
        "fix_grammar",
        "Grammar",
        "In this task you are given a sentence with one grammar mistake in a verb or an article. Your task is to "
        "write it correctly.",
        *solved(break_grammar, grammar),
        lines("""
         [Fix|Correct] the grammar mistake.
         There is an error in this sentence. [Write|Say] it correctly.
         [Repair|Improve] the wrong form.
         A learner of English wrote this. [Help|Correct] him.
         What should the sentence be in good English?
         [Please|] check the grammar and give the right version.
         You get a sentence with a fault. Answer without the fault.
         One word is in the wrong form. Put it right.
         The teacher marked this [red|as wrong]. Rewrite it properly.
         How would a native speaker say [it|this]?
         Find what is ungrammatical and [change|mend] it.
         """),
        lines("""
         Correct the grammar: {input}
         [Fix|Repair] the mistake in: {input}
         """),
    ),
    Kind(
        "fix_spelling",
        "Rewriting",
        "In this task you are given a sentence with one misspelt word. Your task is to write the sentence with the "
        "right spelling.",
        *solved(misspell, spelling),
        lines("""
         [Fix|Correct] the spelling.
         One word is spelt wrong. [Write|Give] the sentence without this mistake.
         [Repair|Remove] the typing error.
         My finger slipped while I typed. [Clean|Mend] my text.
         Which letters are wrong? [Rewrite|Write] everything correctly.
         [Please|] proofread this sentence for typos.
         You get a sentence with a typo. Answer with the clean version.
         A letter is missing, doubled or misplaced. Put it right.
         Check each word in a dictionary and [spell|write] them well.
         The newspaper cannot print a misspelt word. [Edit|Correct] it.
         """),
        lines("""
         Correct the spelling: {input}
         [Fix|Find and mend] the typo: {input}
         """),
    ),
    Kind(
        "add_end_mark",
        "Rewriting",
        "In this task you are given a sentence without its end mark. Your task is to write it with a full stop or "
        "a question mark.",
        *exactly(draw_unmarked, mark),
        lines("""
         Add the missing punctuation [mark|].
         Which mark belongs at the end? [Write|Give] the whole sentence.
         [Put|Set] a full stop or a question mark.
         Finish the sentence with the right sign.
         The writer forgot the dot or question mark. [Add|Supply] it.
         [Please|] punctuate this sentence.
         You get a sentence with no mark. Answer with the mark in its place.
         Is it asked or told? Close it with the fitting mark.
         Nothing stands after the last word. What should?
         Complete the punctuation and change nothing else.
         """),
    ),
    Kind(
        "fix_capitals",
        "Rewriting",
        "In this task you are given a sentence in small letters. Your task is to write it with capital letters "
        "where they belong.",
        *exactly(lambda rng: render(draw_sentence(rng)).lower(), capitals),
        lines("""
         [Fix|Add|Correct] the capital letters.
         Everything is in lower case. [Write|Rewrite] it properly.
         Begin the sentence and the names with capitals.
         The shift key of my keyboard was broken. Repair this.
         Where [must|should] big letters stand? Write the sentence so.
         [Please|] capitalise this sentence.
         You get a text in small letters. Answer with correct capitalisation.
         Use upper case for the first word and all proper names.
         Somebody ignored the rules for capital letters here. Follow them.
         Which words need a large first letter? Show it.
         """),
    ),
    Kind(
        "word_order",
        "Ordering",
        "In this task you are given the words of a sentence in the wrong order. Your task is to put them into the "
        "right order.",
        *ordered(),
        lines("""
         Put the words in the right order.
         [Make|Build|Form] a sentence from these mixed words.
         [Order|Sort] the words so that they make sense.
         Somebody shook the sentence. Restore it.
         Which sentence do these words form?
         [Please|] unscramble the sentence.
         You get words in a jumble. Answer with a proper sentence.
         Use every word once and [write|find] the sentence.
         It is a puzzle: the words stand in the wrong places.
         Arrange the pieces between the slashes to a correct sentence.
         """),
        lines("""
         Put these words in order: {input}
         Which sentence do these words make: {input}
         """),
    ),
    Kind(
        "fill_blank",
        "Grammar",
        "In this task you are given a sentence with a gap and two verb forms in brackets. Your task is to choose "
        "the form that fits.",
        *solved(draw_blank, blank),
        lines("""
         Fill [in|] the blank.
         Which form fits the gap?
         [Choose|Pick] the right word from the brackets.
         [Write|Give] the word that belongs in the empty place.
         One of both verbs is correct. Which?
         [Please|] select what fits the time and the subject.
         You get a sentence with a gap. Answer with one of the choices.
         Complete the exercise [in grammar|] with the proper form.
         What must stand on the line?
         Decide between the two forms given at the end.
         """),
    ),
    Kind(
        "make_polite",
        "Rewriting",
        "In this task you are given a command. Your task is to make it polite with the word please.",
        *solved(draw_command, polite),
        lines("""
         Make it polite.
         [Say|Write] the order in a friendly way.
         [Add|Use] please.
         Ask [kindly|nicely] for this instead of ordering it.
         A good child would say it how?
         [Please|] turn the rude command into a polite request.
         You get an order. Answer with a request that has please.
         The tone is too harsh. [Soften|Improve] it.
         How do you ask a stranger for this with good manners?
         My boss would be angry about this tone. Make it courteous.
         """),
        lines("""
         Make this polite: {input}
         [Say|Ask] this with please: {input}
         """),
    ),
    Kind(
        "formal_from_informal",
        "Rewriting",
        "In this task you are given an informal line to a friend. Your task is to write it in formal words, "
        "beginning with Dear.",
        *solved(draw_informal, formal),
        lines("""
         Make the message formal.
         [Write|Say] this as in a formal letter.
         Use Dear and the long forms of the words.
         The tone is too casual for an office. [Adapt|Change] it.
         How would you write this line to a director?
         [Please|] turn informal into formal.
         You get a note to a friend. Rewrite it for a serious letter.
         Avoid slang and short forms [here|in this note].
         Begin with Dear instead of hi or hey, and be courteous.
         A secretary rewrites it in a respectful style. Do the same.
         """),
    ),
    Kind(
        "restore_sentence",
        "Rewriting",
        "In this task you are given a statement in small letters with no mark. Your task is to write it with a "
        "capital letter and a full stop.",
        *exactly(draw_plain, restored),
        far=True,
    ),
]
