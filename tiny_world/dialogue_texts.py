"""Texts of letters and talk: each function gives the slots of one and the text that fits them."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tiny_world.phrases import COUNTED_FOODS, MASS_FOODS, mentions, scene, told
from tiny_world.world import DAYS, INSTRUMENTS, PEOPLE, SPORTS, THINGS, TOWN_PLACES, article

Made = tuple[Mapping[str, str], str]
_FRIENDS = ("grandmother", "uncle", "teacher", "neighbour", "boss", "best friend", "sister", "doctor", "cousin", "aunt")
_EVENTS = ("a birthday party", "a picnic", "a wedding", "a concert", "a chess evening", "a dinner", "a garden party",
           "a dance", "a film night", "a football match")  # fmt: skip
_OCCASIONS = ("the new year", "the weekend", "the holidays", "the exam", "the journey", "the new job", "the new home",
              "the baby", "the wedding", "the summer", "the party", "the concert")  # fmt: skip
_PROBLEMS = {
    "cannot sleep": "drink warm milk and put the phone away", "is always late": "set the clock ten minutes early",
    "has a cold": "stay in bed and drink hot tea", "lost a key": "look in all pockets and ask the neighbours",
    "is bored": "read a good book or call a friend", "has no money": "spend less and look for work",
    "feels lonely": "join a club and talk to people", "forgets names": "write the names in a notebook",
    "is afraid of dogs": "start with a small and friendly dog", "has a headache": "rest in a dark room",
    "hates mornings": "sleep earlier in the evening", "has toothache": "see a dentist soon",
    "has a test tomorrow": "study a little and sleep well", "eats too many sweets": "buy fruit and drink water",
}  # fmt: skip
_DEEDS = ("broke the {thing}", "forgot the {day} meeting", "came too late", "lost the {thing}", "ate all the {food}",
          "shouted at you", "told a lie", "sold the {thing}")  # fmt: skip
_MESSAGES = {
    "Are you coming to the {place} on {day}?": """
[Yes|Of course], I will come to the {place} on {day}. [Thank you|See you there]!
[Sorry|I am sorry], I cannot come to the {place} on {day}. [I am ill|I must work].""",
    "Can I borrow your {thing}?": """
[Yes, take|Sure, take] my {thing}, but [bring it back by {day}|be careful with it].
[Sorry|No, sorry], I need my {thing} [myself|on {day}].""",
    "Do you like {food}?": """
[Yes|Oh yes], I love {food}. I eat it every {day}.
No, I do not like {food}. I never eat it.""",
    "I won at {sport}!": """
[Congratulations|Well done]! [I am so glad that you won at {sport}|You are great at {sport}].
[Great|Wonderful]! [Let us celebrate your win at {sport}|You are so good at {sport}].""",
    "My {thing} is broken.": """
[Oh no|What a pity], your {thing}! [Shall I help|Shall we repair it]?
[I am sorry to hear that|That is sad]. [Take my {thing}|I can lend you my {thing}].""",
    "Shall we play {sport} on {day}?": """
[Good idea|Yes], let us play {sport} on {day}!
[Sorry|I am afraid not], {sport} on {day} is too much for me.""",
    "Where is the {place}?": """
The {place} is [next to|behind|near] the {place2}.
[Turn left|Walk on] and you will see the {place}.""",
}


_NOTES = {
    "birthday": "[Happy birthday|All the best on your birthday], {name}! "
    "[May all your wishes come true|I hope you get {gift}].",
    "thank-you": "[Thank you|Many thanks], {name}, for [the {thing}|your help|the {food}]! "
    "[You are very kind|It made me happy].",
    "get-well": "[Get well soon|I hope you feel better soon], {name}! [Rest and drink tea|We miss you at the {place}].",
    "good-luck": "[Good luck|I wish you luck], {name}! [You can do it|I will think of you on {day}].",
    "farewell": "[Goodbye|Farewell], {name}! [We will miss you|Write to us from {city}].",
    "welcome": "[Welcome|A warm welcome], {name}! [We are glad that you are here|The {food} is ready for you].",
}


def note(rng: Random) -> Made:
    name, occasion = rng.choice(PEOPLE), rng.choice(sorted(_NOTES))
    slots = {"name": name, "gift": article(rng.choice(sorted(THINGS)))}
    return {"occasion": occasion, "name": name}, told(_NOTES[occasion], rng, slots)


_NOTE_WORDS = {"birthday": ("birthday",), "thank-you": ("thank",), "get-well": ("well", "better"),
               "good-luck": ("luck",),
               "farewell": ("goodbye", "farewell", "miss"), "welcome": ("welcome",)}  # fmt: skip


def fits_occasion(output: str, slots: Mapping[str, str]) -> bool:
    """True where the note uses a word of its occasion."""
    words = _NOTE_WORDS.get(slots.get("occasion", ""), ("",))
    return any(w in output.lower() for w in words)


def invitation(rng: Random) -> Made:
    name, event, day = rng.choice(PEOPLE), rng.choice(_EVENTS), rng.choice(DAYS)
    slots = {"name": name, "event": event, "day": day}
    return slots, told("""
Dear {name}, please come to {event} on {day}. [There will be {food}|We start at {n}|Bring a friend].
{name}, [I invite you|you are invited] to {event} on {day} [at {n} o'clock|at my house].
On {day} we have {event}, {name}. [Will you come|Can you be there]?
Hello {name}! [Are you free on {day}|Have you time on {day}]? Come to {event} [at the {place}|in the garden].
""", rng, slots)  # fmt: skip


def advice(rng: Random) -> Made:
    name, problem = rng.choice(PEOPLE), rng.choice(sorted(_PROBLEMS))
    return {"name": name, "problem": problem}, told(f"""
{{name}} should {_PROBLEMS[problem]}.
{{name}}, [you should|try this:] {_PROBLEMS[problem]}.
My advice for {{name}}: {_PROBLEMS[problem]}.
[It may help|It is best] if {{name}} can {_PROBLEMS[problem]}.
""", rng, {"name": name})  # fmt: skip


_QUESTIONS = {
    tuple(SPORTS): "When did you [start with|first try] {topic}?\nWho taught you {topic}?\n"
    "Do you enjoy {topic} on {day}?",
    tuple(f"the {i}" for i in INSTRUMENTS): "How long have you played {topic}?\nIs {topic} hard to learn?\n"
    "Who taught you to play {topic}?",
    MASS_FOODS: "Do you like {topic} [for breakfast|with {food}]?\nWhere do you buy your {topic}?\n"
    "How much {topic} do you need on {day}?",
    tuple(f"the {p}" for p in TOWN_PLACES): "How often do you visit {topic}?\nWhat do you like best about {topic}?\n"
    "Were you at {topic} on {day}?",
}


def fits_problem(output: str, slots: Mapping[str, str]) -> bool:
    """True where the advice uses words of a good one for the problem (any advice, where the problem is unknown)."""
    good = _PROBLEMS.get(slots.get("problem", ""))
    if good is None:
        return any(w in output.lower() for w in ("should", "try", "advice", "help", "best"))
    return mentions(output, good)


def question(rng: Random) -> Made:
    person = rng.choice(_FRIENDS)
    topics = rng.choice(list(_QUESTIONS))
    topic = rng.choice(topics)
    return {"person": person, "topic": topic}, told(_QUESTIONS[topics], rng, {"topic": topic})


def asks(output: str, slots: Mapping[str, str]) -> bool:
    """True for a question."""
    return output.rstrip().endswith("?")


def apology(rng: Random) -> Made:
    deed = told(rng.choice(_DEEDS), rng)
    deed = deed[0].lower() + deed[1:]
    person = rng.choice(_FRIENDS)
    return {"person": person, "deed": deed}, told("""
Dear {person}, I am sorry that I {deed}. [It will not happen again|Please forgive me].
[Please forgive me|Forgive me], dear {person}: I {deed}. [I feel bad about it|I will make it good].
I {deed}, {person}, and I [am very sorry|apologise]. [Let me buy you some {food}|It was my mistake].
""", rng, {"person": person, "deed": deed})  # fmt: skip


def is_sorry(output: str, slots: Mapping[str, str]) -> bool:
    """True where somebody says sorry."""
    return any(w in output.lower() for w in ("sorry", "forgive", "apolog"))


def wish(rng: Random) -> Made:
    who, when = rng.choice(_FRIENDS), rng.choice(_OCCASIONS)
    return {"who": who, "when": when}, told("""
Dear {who}, I wish you [joy|luck|peace] for {when}, [a lot of {food}|and good friends|and a sunny {day}].
May {when} bring you [joy|luck|sunshine], dear {who}!
For {when} my {who} gets this wish: [health|joy] and [a {colour} {thing}|time for {sport}]!
All the best for {when}, dear {who}, [and stay well|with love from {name}].
""", rng, {"who": who, "when": when})  # fmt: skip


def order(rng: Random) -> Made:
    food, drink = rng.choice(COUNTED_FOODS), rng.choice(("tea", "coffee", "water", "juice", "milk"))
    slots = {"food": article(food), "drink": drink}
    return slots, told("""
Good [morning|evening]! I would like {food} and [a cup of|some] {drink}, please.
[Could|May] I have {food}, please, and some {drink}?
[Please bring|Bring] me {food} with [cold|hot|a glass of] {drink}.
{food} and {drink}, please. [How much is it|Can I pay by card]?
""", rng, slots)  # fmt: skip


def lost(rng: Random) -> Made:
    thing = f"{rng.choice(('red', 'blue', 'green', 'black', 'white', 'brown'))} {rng.choice(sorted(THINGS))}"
    place = rng.choice(TOWN_PLACES)
    slots = {"thing": thing, "place": place}
    return slots, told("""
Lost at the {place}: {thing}. [Please call {name}|{name} will thank you with {food}].
Who has found a {thing}? I lost it near the {place} on {day}.
A {thing} was lost at the {place} on {day}. [Please help|Please bring it to {name}].
""", rng, slots)  # fmt: skip


def reply(rng: Random) -> tuple[str, str]:
    """A message and an answer to it."""
    values = scene(rng)
    values["place2"] = rng.choice([p for p in TOWN_PLACES if p != values["place"]])
    message = rng.choice(sorted(_MESSAGES))
    answers = _MESSAGES[message]
    return told(message, rng, values), told(answers, rng, values)


def good_night(rng: Random) -> Made:
    name, name2 = rng.sample(PEOPLE, 2)
    return {"name": name, "from": name2}, told("""
Good night, {name}! [Sleep well|Dream of {food}] and see you on {day}. Yours, {from}.
Sleep well, dear {name}, says {from}. [The moon is up|Tomorrow is {day}].
""", rng, {"name": name, "from": name2})  # fmt: skip
