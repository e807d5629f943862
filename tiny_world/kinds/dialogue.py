"""Letters and talk: notes, invitations, advice, questions, apologies, wishes, orders, replies."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tiny_world import dialogue_texts as texts
from tiny_world.kind import Example, Kind, Verdict, normalize
from tiny_world.phrases import content_words, mentions, worded, written


def _draw_reply(rng: Random) -> Example:
    return Example(*texts.reply(rng))


def _judge_reply(input: str, output: str, slots: Mapping[str, str]) -> Verdict:
    if not 3 <= len(input.split()) <= 20:
        return Verdict(False, False)
    topics = [
        w for w in content_words(input) if len(w) > 2 and normalize(w) not in ("are", "you", "your", "can", "shal")
    ]
    fits = any(mentions(output, w) for w in topics) or output.lower().startswith(("yes", "no", "sorry", "great", "oh"))
    return Verdict(True, fits and 3 <= len(output.split()) <= 25 and normalize(input) != normalize(output)
                   and output.rstrip().endswith((".", "!", "?")))  # fmt: skip


KINDS: list[Kind] = [
    worded("note", "Dialogue", written(texts.note, 4, 25, ("name",), texts.fits_occasion), """
        In this task you are given an occasion (such as a birthday) and the name of a person. Your task is to
        write a short friendly note to the person for that occasion.

        Write a {occasion} note to {name}.
        [Send|Write] {name} a {occasion} message of one or two sentences.
        What would you write on a {occasion} card for {name}?
        I need some kind words for {name}: it is a {occasion} card.
        {name} should get a {occasion} letter. Make it short.
        Think of a nice {occasion} text that [pleases|is meant for] {name}.
        The {occasion} card for {name} is still empty. Fill it.
        How do you begin and end a {occasion} note if it is for {name}?
        Please help me to write {name} a few {occasion} words.
        [Compose|Make] a card. Kind of card: {occasion}. For: {name}.
        A friend called {name} deserves a warm {occasion} greeting. Write one.
        """),
    worded("invitation", "Dialogue", written(texts.invitation, 8, 30), """
        In this task you are given the name of a person, an event and a day. Your task is to write an invitation
        to the event for that person.

        Invite {name} to {event} on {day}.
        Write an invitation: {event} takes place on {day}, and {name} should come.
        How would you ask {name} to come to {event} on {day}?
        We have {event} on {day}. Write a letter so that {name} comes too.
        [Send|Mail] {name} an invitation for {day}. It is for {event}.
        On {day} there is {event}. Ask {name} politely to be our guest.
        Please compose a short note that tells {name} of {event} on {day}.
        {name} does not know about {event} yet. Invite this guest for {day}.
        Make a card for {name} in which you invite to {event} on {day}.
        I want {name} with me at {event} this {day}. What do I write?
        Find friendly words to get {name} to {event} on {day}.
        """),
    worded("advice", "Dialogue", written(texts.advice, 5, 25, ("name",), texts.fits_problem), """
        In this task you are given the name of a person and a problem of the person. Your task is to give short
        and useful advice in one sentence.

        {name} {problem}. What should {name} do?
        Give advice to {name}, who {problem}.
        My friend {name} {problem}. How can I help?
        What is good advice if {name} {problem}?
        [Write|Send] a tip for {name}, who {problem}.
        You answer letters in a newspaper: {name} {problem} and wants help.
        {name} {problem} and asks you for advice. [Answer|Reply].
        Help! {name} {problem}. Tell us what to do.
        What would a wise person tell {name}, who {problem}?
        Suggest something to {name}. The problem: {name} {problem}.
        Solve this problem with one sentence: {name} {problem}.
        """),
    worded("ask_about", "Dialogue", written(texts.question, 4, 20, ("topic",), texts.asks), """
        In this task you are given a person and a topic. Your task is to write a question that you could ask
        this person about the topic.

        Write a question that you can ask your {person} about {topic}.
        What could I ask my {person} about {topic}?
        You talk with your {person}. Ask something about {topic}.
        [Think of|Find] a good question for your {person}. The topic is {topic}.
        I want to talk to my {person} about {topic}. Start with a question.
        Interview your {person}: one question on {topic}, please.
        Show interest in {topic} when you meet your {person}. What do you ask?
        How would you ask your {person} something to do with {topic}?
        My {person} knows a lot about {topic}. Write what I might ask.
        Help me to begin small talk with my {person} by a question on {topic}.
        Be curious about {topic} and put a question to your {person}.
        """),
    worded("apology", "Dialogue", written(texts.apology, 7, 30, ("deed",), texts.is_sorry), """
        In this task you are given a person and something wrong that you did. Your task is to write a short
        apology to that person for what you did.

        Write an apology to your {person} because you {deed}.
        You {deed}. Say sorry to your {person}.
        How do I apologise to my {person}? I {deed}.
        I {deed}, and now my {person} is angry. Write that I am sorry.
        [Compose|Make] a letter in which you ask your {person} to forgive that you {deed}.
        Say in two sentences that you are sorry. You {deed}, and your {person} knows it.
        What can you write to a {person} after you {deed}?
        Please excuse me to my {person}. It is true that I {deed}.
        A short note of regret for the {person}: you {deed}.
        Make peace with your {person}, who heard that you {deed}.
        Find words of apology. Reason: you {deed}. Reader: your {person}.
        """),
    worded("good_wish", "Dialogue", written(texts.wish, 6, 25), """
        In this task you are given a person and an occasion. Your task is to write one kind wish for this person
        that fits the occasion.

        Write a wish for your {who} for {when}.
        What do you wish your {who} for {when}?
        [Send|Give] your {who} good wishes for {when}.
        My {who} is looking forward to {when}. Wish something nice.
        {when} is near. Tell your {who} a kind wish.
        How can I wish my {who} all the best for {when}?
        On the card to my {who} there should be a wish for {when}.
        Wish your {who} well: the occasion is {when}.
        Think of your {who} and {when}, and make a wish.
        One warm sentence for my {who}, with hopes for {when}.
        Say what good things {when} should bring to your {who}.
        """),
    worded("order_food", "Dialogue", written(texts.order, 6, 25), """
        In this task you are given a food and a drink. Your task is to write what you say to the waiter in order
        to get the food and the drink.

        Order {food} and {drink} in a restaurant.
        What do you say to the waiter if you want {food} and {drink}?
        You are hungry for {food} and thirsty for {drink}. Speak to the waiter.
        How do I politely order {food} with {drink}?
        At the café I wish to have {food} and some {drink}. [Write|Say] my sentence.
        Tell the [waiter|cook] that you would like {food}, and {drink} too.
        Play a guest who orders {food} along with {drink}.
        The waiter asks what you want. Answer that it is {food} and {drink}.
        Practise English at a restaurant: ask for {food} and for {drink}.
        Please get me {food} and {drink} by asking the waiter. What are the words?
        Write the line of a guest. He wants {food}; his drink is {drink}.
        """),
    worded("lost_notice", "Writing", written(texts.lost, 7, 30), """
        In this task you are given a thing that was lost and the place where it was lost. Your task is to write
        a short notice that asks people for help.

        Write a notice: I lost my {thing} at the {place}.
        My {thing} is gone. I had it at the {place}. Write a note for the wall.
        [Make|Write] a lost and found ad for a {thing}, lost near the {place}.
        How do I ask people about the {thing} that I left at the {place}?
        Somebody lost a {thing} by the {place}. Compose the announcement.
        A poster should help to find a {thing}. It disappeared at the {place}.
        Ask everybody at the {place} if they have seen a {thing}.
        Announce that a {thing} was lost in or near the {place}.
        What should the sign at the {place} say about the lost {thing}?
        Help to get a {thing} back: write an ad. Last seen at the {place}.
        I cannot find my {thing} since I was at the {place}. Tell people in a short text.
        """),
    worded("reply_message", "Dialogue", (_draw_reply, _judge_reply), """
        In this task you are given a short message from a friend. Your task is to write a suitable reply to the
        message in one or two sentences.

        Reply to the message.
        Your friend sends you a message. [Write|Give] an answer.
        What would you write back?
        [Answer|Respond to] this message from a friend in one or two sentences.
        A text arrives on your phone. Type a suitable reply.
        You read what a friend wrote to you. How do you react?
        Continue the chat: the other person has just written something.
        I do not know what to say to my friend. [Answer|Reply] for me.
        Write the next line of the conversation.
        [Think of|Find] a friendly reply to what the friend says.
        Someone is waiting for your answer. [Send it|Write it now].
        """, inline="""
        A friend writes: "{input}" What do you answer?
        Reply to this message: {input}
        What would you write back to "{input}"?
        Your friend says "{input}" Write your answer.
        """),
    worded("good_night", "Dialogue", written(texts.good_night, 6, 25), """
        In this task you are given the names of two people. Your task is to write a friendly message for the
        evening to the first person that is signed by the second.
        """),
]  # fmt: skip

_MAKERS = (
    texts.note,
    texts.invitation,
    texts.advice,
    texts.apology,
    texts.wish,
    texts.order,
    texts.lost,
    texts.good_night,
)


def letter_prose(rng: Random) -> str:
    """Notes and letters as people write them."""
    return " ".join(make(rng)[1] for make in rng.sample(_MAKERS, 2))


def talk_prose(rng: Random) -> str:
    """Small talk: messages and their answers."""
    one, two = texts.reply(rng), texts.reply(rng)
    asked = texts.question(rng)[1]
    return f'"{one[0]}" "{one[1]}" Then: "{two[0]}" "{two[1]}" And at last: "{asked}"'


PROSE = [letter_prose, talk_prose]
