"""Kinds that change the tense and the form of a sentence: past, future, present, question, denial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from tiny_world.kind import Kind, by_rule
from tiny_world.kinds.sentence_edits import change, draw_question, statement, to_tense
from tiny_world.kinds.sentences import lines, negative, question

PROSE: list[Callable[[Random], str]] = []

KINDS = [
    Kind(
        "to_past",
        "Rewriting",
        "In this task you are given a sentence in the present or future. Your task is to write the same sentence "
        "in the past tense.",
        *change(to_tense("past"), neutral=True),
        lines("""
         Put the sentence into the past [tense|].
         [Rewrite|Change] this so that it already happened.
         What would you say if it [were|was] over now?
         [Write|Say] it in the past.
         The story happened long ago. [Adapt|Fix] the verb.
         Turn present or future into past.
         Use the past [form|tense] of the verb [here|in this sentence].
         Yesterday we would have told it how?
         [Please|] move this event to the past and keep all else.
         You get a sentence. Tell it as something that is finished.
         A historian writes this [line|sentence] down later. What does he write?
         """),
        lines("""
         Put this into the past tense: {input}
         [Rewrite|Say] in the past: {input}
         {input} How do you say that in the past?
         """),
    ),
    Kind(
        "to_future",
        "Rewriting",
        "In this task you are given a sentence in the present or past. Your task is to write the same sentence in "
        "the future with will.",
        *change(to_tense("future"), neutral=True),
        lines("""
         Put the sentence into the future [tense|].
         [Rewrite|Change] this so that it is still to come.
         What would you say if it had not happened yet?
         [Write|Say] it with will.
         It is only a plan. [Adapt|Fix] the verb.
         Turn present or past into future.
         Use the future [form|tense] of the verb [here|in this sentence].
         [Please|] move this event to the future and keep all else.
         You get a sentence. Tell it as something that is going to be.
         A fortune teller [predicts|sees] this event. What does she say?
         Make a prediction out of this [statement|sentence].
         """),
        lines("""
         Put this into the future tense: {input}
         [Rewrite|Say] with will: {input}
         {input} How do you say that in the future?
         """),
    ),
    Kind(
        "to_present",
        "Rewriting",
        "In this task you are given a sentence in the past or future. Your task is to write the same sentence in "
        "the present tense.",
        *change(to_tense("present"), neutral=True),
        lines("""
         Put the sentence into the present [tense|].
         [Rewrite|Change] this so that it happens now.
         What would you say if it were going on today?
         [Write|Say] it in the present.
         The verb should be neither past nor future. [Adapt|Fix] it.
         Turn past or future into present.
         Use the present [form|tense] of the verb [here|in this sentence].
         [Please|] bring this event to the present and keep all else.
         You get a sentence. Tell it as a habit of today.
         A reporter speaks live about this event. What does he say?
         """),
        lines("""
         Put this into the present tense: {input}
         [Rewrite|Say] in the present: {input}
         {input} How do you say that in the present?
         """),
    ),
    Kind(
        "to_question",
        "Rewriting",
        "In this task you are given a statement. Your task is to turn it into a question that can be answered with "
        "yes or no.",
        *change(lambda s: [question(s)] if not s.reason else []),
        lines("""
         Make [it|this] a question.
         Turn the statement into a yes-or-no question.
         [Ask|Write] a question that this sentence answers with yes.
         How would you ask [whether this is so|if it is true]?
         [Rewrite|Change] the sentence so that it ends with a question mark.
         I am not sure of this. [Help me ask|Ask for me].
         Begin with do, does, did or will and [ask|form a question].
         [Please|] form the interrogative.
         You get a statement. Answer with the matching question.
         A detective wants to check this fact. What does he ask?
         Instead of telling it, ask it.
         """),
        lines("""
         Make a question of this: {input}
         Turn this statement into a question: {input}
         """),
    ),
    Kind(
        "to_negative",
        "Rewriting",
        "In this task you are given a sentence. Your task is to make it negative with the word not.",
        *change(lambda s: [negative(s)] if not s.reason else []),
        lines("""
         Make the sentence negative.
         [Say|Write] that this is not so.
         [Rewrite|Change] it with not.
         Deny [this|the statement].
         The opposite is true: it does not happen. [Write|Put] that down.
         Add not and fix the verb.
         [Please|] negate the sentence.
         You get a statement. Answer with its denial.
         Somebody lies here. What is the truth, with not?
         How do you say that this did, does or will not happen?
         Turn yes into no [here|in this sentence].
         """),
        lines("""
         Make this negative: {input}
         [Negate|Deny] this sentence: {input}
         {input} Say the same with not.
         """),
    ),
    Kind(
        "question_to_statement",
        "Rewriting",
        "In this task you are given a question that can be answered with yes or no. Your task is to write it as a "
        "statement.",
        *by_rule(draw_question, statement),
        lines("""
         Make [it|the question] a statement.
         Turn the question into a plain sentence.
         The answer is yes. [Write|Say] it as a full sentence.
         [Rewrite|Change] this so that nothing is asked [any more|].
         Instead of asking it, [tell|claim] it.
         [Please|] form the affirmative sentence [from this question|].
         You get a question. Answer with the fact behind it.
         What do you say if you are sure and need not ask?
         Drop the question mark and [repair|fix] the order of the words.
         Assert what the question [asks|wants to know].
         """),
        lines("""
         Make a statement of this question: {input}
         Turn this question into a plain sentence: {input}
         """),
    ),
    Kind(
        "past_negative",
        "Rewriting",
        "In this task you are given a sentence in the present or future. Your task is to write it in the past and "
        "negative, with did not.",
        *change(lambda s: [negative(replace(s, tense="past"))] if to_tense("past")(s) else [], neutral=True),
        far=True,
    ),
    Kind(
        "future_question",
        "Rewriting",
        "In this task you are given a sentence in the present or past. Your task is to write a question about the "
        "future that begins with will.",
        *change(lambda s: [question(replace(s, tense="future"))] if to_tense("future")(s) else [], neutral=True),
        far=True,
    ),
]
