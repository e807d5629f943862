"""Kinds on jobs and things: who works where with what, what a thing is made of and used for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

from tiny_world.kind import Draw, Judge, Kind, by_rule
from tiny_world.kinds.words import Prose, teller
from tiny_world.world import JOBS, PEOPLE, THINGS, article


def one(noun: str) -> str:
    """The noun with a or an, unless it is plural or a stuff."""
    return noun if noun == "chalk" or (noun[-1] == "s" and noun[-2] != "s") else article(noun)


def draw_worker(rng: Random) -> str:
    """A sentence that tells somebody's job."""
    who, job = rng.choice(PEOPLE), rng.choice(sorted(JOBS))
    return rng.choice(
        (f"{who} is {article(job)}.", f"{who} works as {article(job)}.", f"I know {article(job)} named {who}.")
    )


def of_job(column: int) -> tuple[Draw, Judge]:
    """Make draw and judge for what belongs to the job named in a sentence."""

    def solve(input: str, slots: Mapping[str, str]) -> Sequence[str] | None:
        named = [job for job in JOBS if re.search(rf"\b{job}\b", input.lower())]
        if len(named) != 1:
            return None
        value = JOBS[named[0]][column]
        return [f"{before}{value}" for before in ("", "a ", "an ", "the ", "in a ", "at a ", "he ", "she ")]

    return by_rule(draw_worker, solve)


def draw_worker_clue(column: int) -> Callable[[Random], str]:
    """Make a writer of sentences that tell what somebody does (2) or has in hand (1)."""

    def write(rng: Random) -> str:
        who, row = rng.choice(PEOPLE), JOBS[rng.choice(sorted(JOBS))]
        if column == 2:
            return rng.choice((f"{who} {row[2]}.", f"Every day {who} {row[2]}.", f"For a living {who} {row[2]}."))
        return f"The workplace of {who} is {one(row[0])} and the tool is {one(row[1])}."

    return write


def job_of(input: str, slots: Mapping[str, str]) -> Sequence[str] | None:
    """The job that does what the sentence says."""
    text = input.lower()
    fitting = [j for j, row in JOBS.items() if row[2] in text] or [
        j
        for j, row in JOBS.items()
        if f"is {one(row[0])} and" in text and text.rstrip(".").endswith(f"is {one(row[1])}")
    ]
    return [name for j in fitting for name in (j, article(j))] or None


def draw_need(rng: Random) -> str:
    """A sentence about what somebody wants to do."""
    use = THINGS[rng.choice(sorted(THINGS))][2].replace("yourself", "myself").replace("your ", "my ")
    return rng.choice((f"I want {use}.", f"I need something {use}.", f"At home I often have {use}.",
                       f"Now I would like {use}.",
                       f"Tomorrow I have {use}.", f"Is there anything here {use}?", f"I was asked {use}."))  # fmt: skip


def things_for(input: str, slots: Mapping[str, str]) -> Sequence[str] | None:
    """The things whose use the sentence names."""
    text = input.lower().replace("myself", "yourself").replace(" my ", " your ")
    fitting = [t for t, row in THINGS.items() if row[2] in text]
    return [name for t in fitting for name in (t, article(t), f"the {t}")] or None


def draw_thing_sentence(rng: Random) -> str:
    """A sentence with one thing of the house."""
    thing, who = rng.choice(sorted(THINGS)), rng.choice(PEOPLE)
    return rng.choice((f"{who} bought {article(thing)}.", f"{who} is looking for the {thing}.",
                       f"This is the {thing} of {who}.",
                       f"{who} cleaned the {thing}."))  # fmt: skip


def of_thing(column: int) -> tuple[Draw, Judge]:
    """Make draw and judge for what belongs to the thing named in a sentence."""

    def solve(input: str, slots: Mapping[str, str]) -> Sequence[str] | None:
        named = [t for t in THINGS if re.search(rf"\b{t}\b", input.lower())]
        if len(named) != 1:
            return None
        value = THINGS[named[0]][column]
        return value, f"the {value}", f"in the {value}", f"of {value}", value.removeprefix("to ")

    return by_rule(draw_thing_sentence, solve)


KINDS: list[Kind] = [
    Kind("workplace", "World Knowledge",
         "You are given a sentence that tells a person's job. Your task is to write the place where somebody with "
         "this job works.",
         *of_job(0),
         ("Where does this person work?", "[Name|Write] the workplace.", "In what place is the job done?",
          "From the job, [say|tell me] where the person works.",
          "Where would you look for this person on a Monday morning?", "[Please|] find the place of work.",
          "You learn somebody's job; answer with the usual workplace.",
          "I must deliver a parcel to this person at work. To what kind of place?",
          "Which building or place belongs to the job?",
          "Hospital, school, farm? Choose the place that suits the job.", "Match the worker with the place.",
          "The person leaves home in the morning for which place?"),
         ("{input} Where is the workplace?", "{input} In what place does that person work?",
          "Say where the person works: {input}", "Which workplace goes with this? {input}")),
    Kind("job_tool", "World Knowledge",
         "In this task you are given a sentence about a person's job. Your task is to write the tool or object used "
         "in this job.",
         *of_job(1),
         ("What tool does this person use?", "[Name|Write] the tool of the job.",
          "Which object does the person need at work?", "What does somebody with this job hold in the hand?",
          "[Please|] give the typical tool.", "A present for work: which tool would help this person?",
          "You learn somebody's job; answer with the tool for it.",
          "With what is the work done?", "In a story book this worker carries something. What?",
          "Match the worker with the tool.", "The person forgot something at home and cannot work. What was it?",
          "Say which instrument or tool belongs to the trade."),
         ("{input} Which tool is needed?", "{input} What tool does that person use?",
          "Name the tool for this job: {input}", "What is used at work here? {input}")),
    Kind("job_duty", "World Knowledge",
         "You are given a sentence that names a person's job. Your task is to write what somebody with this job does, "
         "in a few words.",
         *of_job(2),
         ("What does this person do at work?", "[Describe|Write] the duty of the job in a few words.",
          "What is the person's task all day?", "Explain to a child what somebody in this job does.",
          "[Say|Tell me] how this person helps others.", "[Please|] write what the work consists of.",
          "You learn somebody's job; answer with what is done in it.",
          "Why do we need this person? State the main duty.", "Complete: every day this person ...",
          "What is he or she paid for?", "Sum up the work of this person with a verb and an object.",
          "A school page on jobs needs one line on the duty. Write it."),
         ("{input} What does that person do?", "{input} Which duty has this person?", "Say what the work is: {input}",
          "What is done in this job? {input}")),
    Kind("job_from_duty", "World Knowledge",
         "In this task you are given a sentence that tells what a person does. Your task is to write the name of the "
         "person's job.",
         *by_rule(draw_worker_clue(2), job_of),
         ("What is this person's job?", "[Name|Write] the profession.", "What do we call someone who does that?",
          "From the duty, [guess|find] the occupation.", "Which job is described?",
          "[Please|] say what the person is by trade.", "You read what somebody does; answer with the job.",
          "Fill in the line for the occupation on a form.",
          "If I did this for a living, what would I be?", "Match the activity with a profession.",
          "Someone introduces a friend by what the friend does. Say the job title.",
          "Give the title of the work done here."),
         ("{input} What is the job?", "{input} Which profession is that?", "Name the job: {input}",
          "What do you call the profession? {input}")),
    Kind("job_from_tool", "World Knowledge",
         "You are given a sentence about the place where a person works and the tool used. Find out the person's job "
         "and write it.",
         *by_rule(draw_worker_clue(1), job_of), far=True),
    Kind("thing_for", "World Knowledge",
         "In this task you are given a sentence in which a person wants to do something at home. Write the name of "
         "the thing that is used for it.",
         *by_rule(draw_need, things_for),
         ("Which thing [helps|do I need]?", "[Name|Write] the object for this purpose.",
          "What should I take for that?", "Tell me what thing is made for this.",
          "[Find|Choose] the right household object.", "[Please|] bring me the right thing: what is it called?",
          "What do people use to do that?",
          "You read a wish; answer with the thing that serves it.",
          "I forgot the word for the thing I need. What is it?", "Which object in the house does the job?",
          "A shop assistant hears this. Which article does she offer?", "Solve my little problem with one object."),
         ("{input} What do I need?", "{input} Which thing can I use?", "Name the thing for this: {input}",
          "What object helps here? {input}")),
    Kind("thing_material", "World Knowledge",
         "You are given a sentence that mentions a thing of the house. Your task is to write the material that the "
         "thing is made of.",
         *of_thing(0),
         ("What is the thing made of?", "[Name|Write] the material of the object [mentioned|in the sentence].",
          "Wood, metal, glass, wool or what? Say what it is made from.",
          "Of which material would a maker build this thing?", "[Please|] tell the material of the thing.",
          "You read about an object; answer with its material.",
          "Touch the thing: what do you feel, wood or metal or something else?",
          "A factory makes this thing. What does it buy to make it?", "From what stuff is the object produced?",
          "Recycling: into which material bin belongs this thing?",
          "Find the thing in the sentence and say what it consists of.", "Give the substance of the object."),
         ("{input} What is it made of?", "{input} Which material is that thing?",
          "Name the material of the thing: {input}", "Of what stuff is the object? {input}")),
    Kind("thing_room", "World Knowledge",
         "In this task you are given a sentence with a household thing. Write the room or part of the house where the "
         "thing is usually kept.",
         *of_thing(1),
         ("In which room is the thing kept?", "[Name|Write] the room for the thing.",
          "Where in the house does it belong?", "I am tidying up. Into which room should I carry the thing?",
          "[Please|] say what room you would look in.", "You read about a household object; answer with its room.",
          "Kitchen, bedroom, garage, hall? Choose the place for the thing.",
          "Movers ask in which room to put it.", "What part of the home is right for the object?",
          "Find the thing in the sentence and say which room it stands in.",
          "Where would a guest find this in most homes?", "Match the object with a room."),
         ("{input} Which room is it kept in?", "{input} In which room does it belong?",
          "Name the room for this thing: {input}", "Where in the house is the object? {input}")),
    Kind("thing_use", "World Knowledge",
         "You are given a sentence that mentions a thing of the house. Your task is to write what the thing is used "
         "for.",
         *of_thing(2),
         ("What is the thing used for?", "[Explain|Write] the purpose of the object.",
          "Why do people have such a thing?", "What can you do with it?",
          "Someone from Mars sees the object. Tell him what it is for.",
          "[Please|] describe the use of the thing in a few words.",
          "You read about an object; answer with its use, beginning with \"to\".",
          "What was it invented for?", "[State|Give] the use of the thing mentioned.",
          "Find the object in the sentence and say what it serves for.", "For what reason would I buy one?",
          "Complete: it is used ..."),
         ("{input} What is it for?", "{input} What is such a thing used for?", "Tell the use of the thing: {input}",
          "For what purpose is the object? {input}")),
]  # fmt: skip

PROSE: list[Prose] = [
    teller([(j, article(j), one(row[0]), one(row[1]), row[2]) for j, row in JOBS.items()], ("{1} works in "
                                                                                                    "{2}.", "{1} uses "
                                                                                                    "{3}.", "{1} "
                                                                                                    "{4}.", "The {0} "
                                                                                                    "{4} and needs "
                                                                                                    "{3}.", "In {2} "
                                                                                                    "you meet the "
                                                                                                    "{0}.", "Someone "
                                                                                                    "who {4} is "
                                                                                                    "{1}.", "With {3} "
                                                                                                    "in hand, the {0} "
                                                                                                    "{4}.", "The "
                                                                                                    "workplace of the "
                                                                                                    "{0} is {2}.")),
    teller([(t, article(t), *row) for t, row in THINGS.items()], ("{1} is made of {2}.", "You use {1} {4}.",
    "The {0} is kept in the {3}.", "{1} is used {4}.", "In the {3} there is {1}, made of {2}.",
    "If you want {4}, take {1}.", "The {0} belongs in the {3}.", "The material of the {0} is {2}.")),
]  # fmt: skip
