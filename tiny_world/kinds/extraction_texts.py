"""Kinds that find a fact in a message, an advertisement, a note or a small story."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tiny_world.kind import Kind
from tiny_world.kinds.sentences import lines
from tiny_world.kinds.texts import (
    addressee,
    advertisement,
    event,
    event_line,
    find,
    from_text,
    hour,
    main_idea,
    message,
    phone_line,
    price,
    sender,
    story,
    titles,
    topic_text,
)
from tiny_world.world import DAYS

PROSE: list[Callable[[Random], str]] = []


def told_story(rng: Random) -> str:
    """A story as one text."""
    return " ".join(story(rng))


def note(rng: Random) -> str:
    """A line on an event, alone or as a message."""
    return event_line(rng) if rng.random() < 0.5 else message(rng, event_line(rng))


KINDS = [
    Kind(
        "find_price",
        "Extraction",
        "In this task you are given a short text about something for sale. Your task is to write its price with "
        "the kind of money.",
        *from_text(advertisement, price),
        lines("""
         How much does it cost?
         [Find|Give|Name] the price.
         What must the buyer pay?
         [Write|Copy] only the price from this [offer|advertisement].
         How much money [is|was] that?
         I have a little money. What do I need for this?
         [Please|] extract the amount and the money it is in.
         You read an advertisement. Answer with what the thing costs.
         For how much is it sold?
         [Tell|Show] me the price tag of the [item|thing].
         What sum of dollars, euros, pounds or coins is [named|asked]?
         """),
        lines("""
         How much does it cost: {input}
         [Find|Give] the price in: {input}
         {input} What must one pay for it?
         """),
    ),
    Kind(
        "find_phone",
        "Extraction",
        "In this task you are given a message that contains a telephone number. Your task is to copy the telephone "
        "number.",
        *from_text(
            lambda rng: phone_line(rng) if rng.random() < 0.4 else message(rng, phone_line(rng)),
            find(r"\b(\d{3}-\d{3,4})\b"),
        ),
        lines("""
         What is the phone number?
         [Find|Copy|Give] the telephone number.
         Which number do I [call|dial|ring]?
         [Write|Note] only the phone number of this message.
         I want to call [them|back]. What should I dial?
         [Please|] extract the number to ring.
         [Tell|Show] me how to reach the writer by telephone.
         You get a message. Answer with the digits for the phone.
         Add the telephone number to my [contacts|address book].
         What do I type into my phone to speak with this person?
         """),
        lines("""
         What is the phone number in: {input}
         [Find|Copy] the telephone number: {input}
         {input} So which number must I dial?
         """),
    ),
    Kind(
        "find_room",
        "Extraction",
        "In this task you are given a note about a meeting, a lesson or a party. Your task is to write the number "
        "of the room.",
        *from_text(note, find(r"\broom (\d+)")),
        lines("""
         Which room is it in?
         [Find|Give|Name] the room number.
         [Tell|Show] me the number of the room.
         At which door should [I|we|the guests] knock?
         [Write|Copy] only the number that stands after room.
         I am lost in this building. What room do I look for?
         [Please|] extract the room.
         You get a note about an event. Answer with its room.
         In what room [do|will] people meet?
         The sign on the door has a number. Which one, by this note?
         """),
        lines("""
         Which room is named in: {input}
         [Find|Give] the room number: {input}
         {input} What room was that?
         """),
    ),
    Kind(
        "find_day",
        "Extraction",
        "In this task you are given a note about an event that takes place on a day of the week. Your task is to "
        "write this day.",
        *from_text(note, find(rf"\b({'|'.join(DAYS)})\b")),
        lines("""
         [Which|What] day is it [on|]?
         [Find|Give|Name] the day of the week.
         [Tell|Show] me on which day this takes place.
         [Write|Copy] only the weekday from this note.
         I must mark the calendar. Under which day?
         Is it Monday, Tuesday or another day? [Write which|Look it up].
         [Please|] extract the weekday.
         You get a note about an event. Answer with its day.
         When in the week should I keep my time free?
         The guests ask for the day. What do you tell them?
         """),
        lines("""
         Which weekday is named in: {input}
         [Find|Give] the day of the week: {input}
         {input} What day was that?
         """),
    ),
    Kind(
        "letter_to",
        "Extraction",
        "In this task you are given a letter or message. Your task is to write the name of the person to whom it "
        "is written.",
        *from_text(message, addressee),
        lines("""
         To whom is [this|the letter] written?
         [Find|Give|Name] the person who gets the message.
         Who [receives|reads] this letter?
         [Write|Copy] the name in the greeting.
         The postman needs one name for this letter. Whose?
         [Please|] extract the addressee.
         Whom does the writer greet?
         You get a message. Answer with the name of its reader.
         Which name belongs on the envelope?
         Dear who? [Answer|Complete this] from the message.
         [Tell|Show] me who is spoken to.
         """),
        lines("""
         Who gets this message: {input}
         [Name|Find] the addressee: {input}
         """),
    ),
    Kind(
        "letter_from",
        "Extraction",
        "In this task you are given a letter or message. Your task is to write the name of the person who sends it.",
        *from_text(message, sender),
        lines("""
         Who wrote [this|the letter|the message]?
         [Find|Give|Name] the sender.
         From whom [is|comes] the letter?
         [Write|Copy] the name at the end of the message.
         I found this letter. Who signed it?
         [Please|] extract the name of the writer.
         Whose words are these?
         You get a message. Answer with the one who sent it.
         To which person should the reader reply?
         [Tell|Show] me the signature.
         """),
        lines("""
         Who sent this message: {input}
         [Name|Find] the sender: {input}
         """),
    ),
    Kind(
        "story_title",
        "Writing",
        "In this task you are given a short story. Your task is to write a title for it, using one or more words "
        "of the story.",
        *titles(),
        lines("""
         [Write|Give|Find] a title for [this|the] story.
         What would you call this tale?
         The story has no name yet. Give it one.
         Which title fits [this|the text]?
         Think of a heading for the story [below|here].
         [Please|] name the tale.
         A publisher asks how this story should be called. [Answer|Suggest something].
         Sum up the story in a short title.
         You get a story. Invent its title.
         What could stand on the cover of this little book?
         Put a few words above this story as [a|its] headline.
         """),
    ),
    Kind(
        "main_idea",
        "Extraction",
        "In this task you are given a short text of several sentences. Your task is to copy the sentence that "
        "gives the main idea.",
        *from_text(topic_text, main_idea),
        lines("""
         [Which|What] is the main idea [sentence|]?
         [Find|Copy|Write] the sentence that says what the text is about.
         One sentence here is the most important. [Which one|Copy it]?
         The others only support it: which sentence is the main one?
         [Please|] extract the topic sentence.
         Sum up the text with one of its own sentences.
         What does the writer mainly want to say?
         You get a text. Answer with its central sentence.
         Leave out the details and keep the main point.
         If only one sentence could stay, which should it be?
         """),
    ),
    Kind(
        "first_event",
        "Ordering",
        "In this task you are given a story of things that happen one after another. Your task is to write what "
        "happens first.",
        *from_text(told_story, event(0)),
        lines("""
         What happened first?
         [Write|Tell|Find] the first event of the story.
         With what does the story begin?
         Which of these things was done before the others?
         [Please|] say how it all started.
         You get a story. Answer with the thing that happens at the start.
         [Copy|Give] the earliest of these actions.
         Before everything else, what did the person do?
         What [is|was] step number one?
         Only the beginning [matters|counts]: what was it?
         """),
    ),
    Kind(
        "last_event",
        "Ordering",
        "In this task you are given a story of things that happen one after another. Your task is to write what "
        "happens last.",
        *from_text(told_story, event(-1)),
        lines("""
         What happened last?
         [Write|Tell|Find] the final event of the story.
         How does the story end?
         Which of these things was done after the others?
         [Please|] say how it all finished.
         You get a story. Answer with the thing that happens at the close.
         [Copy|Give] the latest of these actions.
         When everything else was over, what did the person do?
         In the end, what [took place|was done]?
         What [is|was] the final step?
         """),
    ),
    Kind(
        "second_event",
        "Ordering",
        "In this task you are given a story of three things that happen one after another. Your task is to write "
        "what happens second, in the middle of the story.",
        *from_text(told_story, event(1)),
        far=True,
    ),
    Kind(
        "find_hour",
        "Extraction",
        "In this task you are given a note that says at what hour an event begins. Your task is to write the hour.",
        *from_text(lambda rng: next(t for t in iter(lambda: note(rng), "") if hour(t)), hour),
        far=True,
    ),
]
