"""Kinds that change the parts of a sentence: pronoun, number, names, voice, reported speech, command, order."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tiny_world.kind import Kind, by_rule
from tiny_world.kinds.sentence_edits import (
    change,
    command,
    draw_speech,
    draw_two_names,
    passive,
    reported,
    short,
    swapped,
    time_moved,
    to_first_person,
    to_plural,
    to_pronoun,
)
from tiny_world.kinds.sentences import lines

PROSE: list[Callable[[Random], str]] = []

KINDS = [
    Kind(
        "name_to_pronoun",
        "Rewriting",
        "In this task you are given a sentence. Your task is to replace its subject by he, she, it or they.",
        *change(to_pronoun),
        lines("""
         Replace the subject by a pronoun.
         Use he, she, it or they [for the subject|instead of the name].
         [Rewrite|Write] the sentence without [saying|naming] who it is.
         We know already who is meant. [Put|Use] a pronoun.
         Which sentence results if a pronoun takes the place of the first noun?
         The name should be secret. [Hide|Replace] it.
         [Please|] put a personal pronoun at the place of the [subject|doer].
         You get a sentence. Start it with he, she, it or they.
         Avoid a repetition: [say|write] this with a pronoun.
         Swap the one who acts for he, she, it or they.
         """),
        lines("""
         Use a pronoun as the subject: {input}
         [Replace|Swap] the subject for he, she, it or they: {input}
         """),
    ),
    Kind(
        "subject_to_plural",
        "Rewriting",
        "In this task you are given a sentence with a singular subject. Your task is to make the subject plural "
        "and to adapt the verb.",
        *change(to_plural),
        lines("""
         Make the subject plural.
         There are several of them. [Rewrite|Adapt] the sentence.
         [Change|Put] the one who acts from one to many.
         [Write|Say] the same about more than one.
         Turn the singular subject into a plural [one|subject].
         [Please|] use the plural of the first noun and fix the verb.
         You get a sentence about one. Tell it about many.
         Not one does it, but all of them. How does the sentence go now?
         Double the [doer|subject], and take care of the verb.
         What if not a single one but a group did so?
         """),
        lines("""
         Make the subject plural: {input}
         [Rewrite|Say] this about several of them: {input}
         """),
    ),
    Kind(
        "swap_names",
        "Rewriting",
        "In this task you are given a sentence with the names of two people. Your task is to exchange the two names.",
        *by_rule(draw_two_names, swapped),
        lines("""
         [Swap|Exchange] the two names.
         Let the two people change places.
         [Write|Rewrite] the sentence with the names the other way round.
         The reporter mixed up both persons. [Correct|Repair] that.
         Put the first name where the second stands and the other way about.
         [Please|] switch who is who.
         You get a sentence with two persons. Change their roles.
         Each person takes the part of the other. What does it say now?
         Both names are in the wrong spot. [Fix it|Move them].
         How would it read with the names reversed?
         """),
        lines("""
         Swap the names in: {input}
         [Exchange|Switch] the two people: {input}
         """),
    ),
    Kind(
        "to_passive",
        "Grammar",
        "In this task you are given a sentence in the active voice. Your task is to rewrite it in the passive "
        "voice with by.",
        *change(passive, need=("object",)),
        lines("""
         [Put|Write|Change] the sentence into the passive [voice|].
         Start with the object and use by.
         [Rewrite|Turn] active to passive.
         Say what was done, and by whom.
         The thing should come first, the doer last. [Rewrite it|How does it go]?
         [Please|] form the passive.
         You get an active sentence. Answer with its passive form.
         In a report we prefer the passive. [Adapt|Change] this.
         Let the subject and the object trade places, with by.
         How would a grammar book show the passive of this?
         """),
        lines("""
         Put this into the passive: {input}
         [Turn|Change] from active to passive: {input}
         """),
    ),
    Kind(
        "reported_speech",
        "Rewriting",
        "In this task you are given what a person says, in quotation marks. Your task is to report it in one "
        "sentence with says that.",
        *by_rule(draw_speech, reported),
        lines("""
         [Change|Turn] direct speech into reported speech.
         Report what the person says.
         [Write|Rewrite] this without quotation marks, with that.
         Tell [a friend|somebody else] what was said.
         [Please|] use indirect speech.
         You get the words of a person. Pass them on with says that.
         The quote has to go. [Say|Put] the same as indirect speech.
         How would another person retell these words?
         Join speaker and speech with the word that.
         A secretary writes down who says what. What does she note?
         """),
    ),
    Kind(
        "statement_to_command",
        "Rewriting",
        "In this task you are given a statement. Your task is to make it a command to somebody to do this.",
        *change(command, need=("object",)),
        lines("""
         Make a command of [this|the statement].
         Tell somebody to do [it|this].
         [Rewrite|Change] the sentence as an order.
         [Use|Write] the imperative.
         You are the boss. Order this action.
         How would a captain [order|command] it?
         [Please|] turn the sentence into an imperative.
         You get a statement. Answer with the order to do so.
         Drop the subject and begin with the verb, as in a [recipe|command].
         Say to someone that he should do this, in short.
         """),
        lines("""
         Make a command of this: {input}
         [Turn|Change] this into an order: {input}
         """),
    ),
    Kind(
        "shorten",
        "Rewriting",
        "In this task you are given a sentence. Your task is to shorten it to its subject and its verb.",
        *change(short),
        lines("""
         Shorten the sentence to subject and verb.
         [Keep|Leave] only who does it and the verb.
         [Cut|Remove] everything after the verb.
         Make it as short as possible, yet a full sentence.
         Which two or three words are the core of this sentence?
         [Please|] reduce the sentence to its core.
         You get a sentence. Drop object, place and time.
         For a headline, say only who does what action.
         Leave out all details [here|of this sentence].
         Who, and which action? Write no more than that.
         """),
        lines("""
         Shorten to subject and verb: {input}
         [Reduce|Cut] this to its core: {input}
         """),
    ),
    Kind(
        "move_time",
        "Rewriting",
        "In this task you are given a sentence that tells a time. Your task is to move the time from the end to "
        "the beginning, or from the beginning to the end.",
        *change(time_moved, need=("time",)),
        lines("""
         Move the time to the other end of the sentence.
         [Put|Write] the words for the time in the other place.
         The time can stand first or last. [Change|Swap] that here.
         Say it again with the time at the opposite end.
         [Please|] shift the time expression.
         You get a sentence with a time. Reorder it so that the time stands elsewhere.
         If it opens with the time, close with it, and the other way round.
         Change the order, not the words: where else can the time go?
         When stands in one place. [Let|Make] it stand in the other one.
         Begin with the hour or day if you ended with it, and vice versa.
         """),
        lines("""
         Move the time in: {input}
         [Shift|Put] the time to the other end: {input}
         """),
    ),
    Kind(
        "first_person",
        "Rewriting",
        "In this task you are given a sentence about another person. Your task is to rewrite it as if you did it, "
        "with I as the subject.",
        *change(to_first_person),
        far=True,
    ),
]
