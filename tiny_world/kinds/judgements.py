"""Labels that need facts or a rule: true or false, yes or no, classes of things, grammar, same meaning."""

from __future__ import annotations

from random import Random

from tiny_world.kind import Kind, by_rule
from tiny_world.label_rules import (
    ALIVE,
    APT,
    PPT,
    PRODUCE,
    classes,
    draw_grammar,
    draw_pair,
    draw_season,
    fact_labels,
    grammar,
    same_meaning,
    season_of,
)
from tiny_world.phrases import voted, worded
from tiny_world.world import DAYS, FOODS, PEOPLE, SEASONS, article, join

ACTIVITY = {
    "Indoors": """
[Baking|Cooking] {food} [pie|soup] in the kitchen with {name}
[Washing the dishes|Cleaning the {thing}] at home
[Watching|Seeing] a film [on the sofa|in the cinema] with {name}
[Ironing shirts|Taking a bath|Vacuuming the carpet] on {day}
[Sleeping|Reading] in bed [all {day}|until noon]""",
    "Outdoors": """
[Climbing|Hiking up] a mountain in {country}
[Planting|Picking] [apples|beans|carrots|flowers] in the field with {name}
[Sailing|Rowing|Fishing] on the lake [on {day}|in {month}]
[Camping|Having a picnic] in the forest with {name}
[Flying a kite|Building a snowman|Skiing] on the hill on {day}""",
}
WARMTH = {
    "Hot": """
[Fresh|A cup of] {food} soup that is still [boiling|steaming]
The {country} desert at [noon|midday] in summer
[The fire|The flames] in the {place} and the [burning|glowing] coal
[Boiling|Steaming] water in a kettle for {name}
Sunshine on the [sand|roof] at noon, so {name} is sweating""",
    "Cold": """
[Frozen|Chilled] {food} from the [fridge|freezer]
The [icy|snowy] mountains of {country} in winter
[Snow|Ice|Frost] on the {thing} and the [freezing|icy] wind
[Frozen|Icy] water in the lake near {name}'s house
{name} shivers and wears a [thick coat|scarf] in the [snow|frost]""",
}
WEEKDAYS = set(DAYS[:5])


def _draw_weekday(rng: Random) -> str:
    day = rng.choice(DAYS[:5]) if rng.random() < 0.5 else rng.choice(DAYS[5:])
    name = rng.choice(PEOPLE)
    return rng.choice((f"{name} has a party on {day}.", f"Come to the lake on {day}, {name}!",
                       f"{name} plays chess on {day}.", f"The shop is closed on {day}."))  # fmt: skip


def _weekday(input: str, slots: object) -> tuple[str, ...] | None:
    found = [d for d in DAYS if d.lower() in input.lower()]
    return (("Weekday" if found[0] in WEEKDAYS else "Weekend"),) if len(found) == 1 else None


KINDS: list[Kind] = [
    worded("true_or_false", "World Knowledge", fact_labels(0, "True", "False"), labels="True,False", text="""
        In this task you are given a statement about an animal, a country, a food, a job or a thing. Your task
        is to check the fact and answer True or False.

        Is the [statement|sentence] true or false?
        [Check|Verify] the fact. [Write|Answer] True or False.
        True or false?
        You [read|get] a statement. [Tell me|Say] whether it is right (True) or wrong (False).
        Decide if what is said [here|] is a true fact or a false one.
        A quiz asks whether [these|such] facts are true. [Give|Write] the answer.
        [Mark|Label] the claim as True or False.
        Do you believe it? Say True if the claim is [correct|a fact], False if it is a mistake.
        My little brother told me [this|something]. Is he right? Answer True or False.
        [Judge|Test] the truth of the following statement.
        Find out whether the [writer|author] knows the facts: True or False.
        Fact check: [reply|answer] with True or False.
        """, inline="""
        True or false: {input}
        Is it true or false? {input}
        Somebody says: {input} Check the fact and answer True or False.
        Is this statement true? {input}
        """),
    worded("yes_or_no", "World Knowledge", fact_labels(1, "Yes", "No"), labels="Yes,No", text="""
        In this task you are given a question about an animal, a country, a food, a job or a thing. Your task is
        to answer the question with Yes or No.

        [Answer|Reply to] the question with yes or no.
        Yes or no?
        A child asks you a question about the world. [Say|Answer] Yes or No.
        [Give|Write] a one-word answer, [Yes or No|yes or no], to the following question.
        You [get|are asked] a question of general knowledge. Is the answer Yes or No?
        Read the [quiz |]question and decide: Yes or No.
        Tell [me|us] if that is so. Just [write|say] Yes or No.
        [Think|Think carefully] about the question, then choose between Yes and No.
        Reply Yes if it is so, and No if it is not.
        What is the right answer, Yes or No?
        Quiz time! [Press|Say] Yes or No [for|to] each question.
        Help me with [a|this] yes-no question.
        """, inline="""
        {input} Answer yes or no.
        Yes or no: {input}
        A child asks: "{input}" Say Yes or No.
        Quiz question: {input} (Yes/No)
        """),
    worded("animal_plant_thing", "Classification", classes(APT, ("Animal", "Plant", "Thing")),
           labels="Animal,Plant,Thing", text="""
        In this task you are given a word with or without an adjective. Your task is to classify it as an
        animal, a plant or a thing, with the label Animal, Plant or Thing.

        Is [it|this] an animal, a plant or a thing?
        [Classify|Sort] the word as Animal, Plant or Thing.
        Animal, plant or thing?
        You [get|are given] a word. Does it name an animal, a plant or a thing?
        Put the [noun|word] into one of three boxes: Animal, Plant, Thing.
        [Say|Tell me] which of these it is: an animal, a plant, or only a thing.
        Does it [walk or fly|move by itself] (Animal), [grow in the soil|grow from a seed] (Plant), or neither (Thing)?
        [Choose|Pick] the right class among Animal, Plant and Thing.
        A pupil sorts words into animals, plants and things. Where does this one [go|belong]?
        Label [the|each] noun: Animal, Plant [or|,] Thing.
        Which kingdom is it from? Use Animal or Plant, and Thing for objects.
        Decide whether the [noun|name] stands for a beast, a plant or an object. Write Animal, Plant or Thing.
        """, inline="""
        Is {input} an animal, a plant or a thing?
        Animal, Plant or Thing: {input}
        Classify {input} as Animal, Plant or Thing.
        What is {input}: an animal, a plant or a thing?
        """),
    worded("living_or_not", "Classification", classes(ALIVE, ("Living", "Not living")),
           labels="Living,Not living", text="""
        In this task you are given the name of a being or an object. Your task is to decide if it is alive, and
        to answer with the label Living or Not living.

        Is it a living thing or not?
        [Decide|Say] whether it is alive. Answer Living or Not living.
        Living or not living?
        Does it breathe and grow? [Write|Use] Living if so, otherwise Not living.
        [Sort|Classify] [objects|things] and beings into Living and Not living.
        For a biology [lesson|class], label the word as Living or Not living.
        Can it be born and die (Living), or was it made by people (Not living)?
        You [read|get] a noun. Tell me if it [lives|is alive].
        [Mark|Label] what is alive with Living and what is dead matter with Not living.
        [Choose|Pick] between Living and Not living.
        Does the [word|noun] name a living being, or an object without life?
        Would this need food, water or air to live? Living or Not living?
        """, inline="""
        Is {input} living or not living?
        Living or Not living: {input}
        Does {input} live? Answer Living or Not living.
        Say whether {input} is alive (Living) or not (Not living).
        """),
    worded("fruit_or_vegetable", "Classification", classes(PRODUCE, ("Fruit", "Vegetable")),
           labels="Fruit,Vegetable", text="""
        In this task you are given the name of something that grows and is eaten. Your task is to say whether it
        is a fruit or a vegetable, with the label Fruit or Vegetable.

        Is it a fruit or a vegetable?
        Fruit or vegetable?
        [Sort|Classify] the food as Fruit or Vegetable.
        A greengrocer has two [shelves|boxes], Fruit and Vegetable. Where does this [go|belong]?
        Would a cook call it a fruit or a vegetable?
        [Tell me|Say] if the food is a sweet fruit or a vegetable.
        Label what you [buy|see] at the market: Fruit or Vegetable.
        [Decide|Choose] between Fruit and Vegetable.
        You get the name of a plant food. [Write|Answer] Fruit or Vegetable.
        Does it go into a fruit salad (Fruit) or into a soup (Vegetable)?
        What [sort|kind] of food is it, a fruit or a vegetable?
        [Help|Teach] a child to tell fruits from vegetables. Answer Fruit or Vegetable.
        """, inline="""
        Is {input} a fruit or a vegetable?
        Fruit or Vegetable: {input}
        Does {input} count as a fruit or a vegetable?
        Where is {input} sold, with the Fruit or with the Vegetable boxes?
        """),
    worded("person_place_thing", "Grammar", classes(PPT, ("Person", "Place", "Thing")),
           labels="Person,Place,Thing", text="""
        In this task you are given a noun or a name. Your task is to decide what the noun names and to answer
        with the label Person, Place or Thing.

        Does the noun name a person, a place or a thing?
        Person, place or thing?
        [Sort|Classify] the noun as Person, Place or Thing.
        Is it somebody (Person), somewhere (Place) or something (Thing)?
        [Tell|Say] whether the name belongs to a person, a place or a thing.
        Grammar: which [kind|class] of noun is this, Person, Place or Thing?
        You see a name or a noun. [Choose|Pick] Person, Place or Thing.
        Could you meet it, visit it or hold it? Answer Person, Place or Thing.
        Write Person for people, Place for towns and buildings, Thing for objects.
        [Label|Mark] nouns in the [exercise|list]: Person, Place, Thing.
        Who, where or what? [Give|Write] the label Person, Place or Thing.
        [Decide|Find out] if we speak of a human being, a location or an object. Labels: Person, Place, Thing.
        """, inline="""
        Is {input} a person, a place or a thing?
        Person, Place or Thing: {input}
        Does the noun "{input}" name a person, a place or a thing?
        What sort of noun is {input}: Person, Place or Thing?
        """),
    worded("correct_grammar", "Grammar", by_rule(draw_grammar, grammar), labels="Correct,Incorrect", text="""
        In this task you are given a sentence. Your task is to check whether the verb fits its subject and to
        judge the grammar with the label Correct or Incorrect.

        Is the grammar of the sentence correct?
        [Check|Look at] the grammar and answer Correct or Incorrect.
        Does the verb agree with its subject? [Write|Say] Correct or Incorrect.
        [Mark|Label] the sentence as Correct or Incorrect [English|].
        A teacher reads the homework of a pupil. Is the sentence Correct or Incorrect?
        You get one sentence. [Tell me|Decide] if it has a grammar mistake.
        Is there [an error|a mistake] in the verb form? Answer Incorrect if there is, otherwise Correct.
        Find out whether [somebody|the writer] forgot an s or wrote one too many. Use Correct and Incorrect.
        [Judge|Test] the English: Correct or Incorrect?
        Would a native speaker say [it like this|this]? Correct if yes, Incorrect if no.
        Proofread the line and [say|tell me] whether it is right: Correct or Incorrect.
        Grammar [check|test], please.
        """, inline="""
        Is this sentence correct or incorrect? {input}
        Check the grammar of "{input}" and answer Correct or Incorrect.
        Correct or Incorrect: {input}
        Would a teacher mark "{input}" as Correct or Incorrect?
        """),
    worded("same_meaning", "Reasoning", by_rule(draw_pair, same_meaning), labels="Same,Different", text="""
        In this task you are given two sentences. Your task is to compare the meaning of the two sentences and
        to answer with the label Same or Different.

        Do the two sentences mean the same?
        [Compare|Read] the sentences. Is their meaning the Same or Different?
        [Say|Tell] if the second sentence repeats the first in other words (Same) or tells something else (Different).
        Same meaning or different meaning?
        Two people tell a story. Do they [say|tell] the same thing? Answer Same or Different.
        You [get|see] a pair of sentences. [Label|Mark] the pair Same or Different.
        Is one sentence a paraphrase of the other? [Write|Use] Same for yes and Different for no.
        [Decide|Judge] whether both lines [describe|tell] the same event.
        Find out if only the words changed (Same) or the facts too (Different).
        Are they synonymous? [Choose|Pick] Same or Different.
        Look for a difference in meaning [between the sentences|]. Answer with Same or Different.
        Could you swap [these sentences|them] without changing the story? Same if you could, Different if not.
        """),
    worded("which_season", "World Knowledge", by_rule(draw_season, season_of),
           labels="Spring,Summer,Autumn,Winter", text="""
        In this task you are given a sentence that names a month. Your task is to tell the season of that month,
        with the label Spring, Summer, Autumn or Winter.

        [In which|Which] season does it happen: Spring, Summer, Autumn or Winter?
        Name the season of the month in the sentence.
        [Read|Look at] the sentence and say if it is spring, summer, autumn or winter.
        What time of year is it? [Choose|Pick] Spring, Summer, Autumn or Winter.
        Find the month and [give|write] its season.
        [Label|Sort] the event by season (Spring, Summer, Autumn, Winter).
        You read about an event in a certain month. Tell me the season.
        Is it [warm|hot] summer, cold winter, spring or autumn [then|at that time]?
        To which of the four seasons does the month belong?
        We plan by seasons, not by months. Change the date to Spring, Summer, Autumn or Winter.
        Season, please: Spring, Summer, Autumn or Winter?
        [Decide|Guess] from the month whether this takes place in Winter, Spring, Summer or Autumn.
        """),
    worded("indoors_outdoors", "Classification", voted(ACTIVITY), labels="Indoors,Outdoors", text="""
        In this task you are given an activity. Your task is to say where people do the activity, inside a
        building or in the open air, with the label Indoors or Outdoors.

        Is this done indoors or outdoors?
        [Label|Mark] the activity as Indoors or Outdoors.
        Do people do it inside a house (Indoors) or in the open air (Outdoors)?
        Indoors or outdoors?
        It may rain today. Say if the [plan|activity] is an indoor or an outdoor one.
        [Sort|Classify] the hobby: Indoors or Outdoors.
        Would you need a roof for [it|this]? Write Indoors if you would, else Outdoors.
        [Choose|Give] the right place for the activity, Indoors or Outdoors.
        You plan a [day|weekend] and get an idea. Tell whether you must leave the house for it.
        Where does [it|this] happen, Indoors or Outdoors?
        Decide if this needs [fresh air|the open air] or a room. Answer Outdoors or Indoors.
        Inside or outside? Use the words Indoors and Outdoors.
        """),
    worded("hot_or_cold", "Classification", voted(WARMTH), labels="Hot,Cold", text="""
        In this task you are given a short description of something. Your task is to tell its temperature with
        the label Hot or Cold.

        Is it hot or cold?
        [Label|Mark] the thing as Hot or Cold.
        Hot or cold?
        Would it burn you (Hot) or make you shiver (Cold)?
        [Say|Decide] whether the temperature is high or low. Write Hot or Cold.
        You read about a thing or a place. Is it Hot or Cold [there|]?
        [Sort|Put] these into hot ones and cold ones.
        Guess the temperature of what is described: Hot or Cold.
        Should I take gloves or a fan? [Answer|Say] Cold or Hot.
        What does it feel like, Hot or Cold?
        [Classify|Judge] the description by its warmth, Hot or Cold.
        A thermometer is near. Does it show Hot or Cold?
        """),
    Kind(
        "weekday_or_weekend", "Reasoning",
        "In this task you are given a sentence that names a day. Your task is to say whether that day is a working day "
        "or not, with the label Weekday or Weekend.",
        *by_rule(_draw_weekday, _weekday), labels=("Weekday", "Weekend"), far=True,
    ),
]  # fmt: skip


def season_prose(rng: Random) -> str:
    """The months of the seasons, the weekend."""
    season = rng.choice(sorted(SEASONS))
    months = SEASONS[season].split()
    month = rng.choice(months)
    day = rng.choice(DAYS)
    rest = f"{day} is a weekday and people work" if day in WEEKDAYS else f"{day} is part of the weekend and people rest"
    return rng.choice((
        f"The months of {season} are {join(months)}. So {month} is in {season}. {rest}.",
        f"{month} is a month of {season}. {season.capitalize()} also has {join([m for m in months if m != month])}. "
        f"Saturday and Sunday are the weekend; the other days are weekdays. {rest}.",
        f"In {month} it is {season}. {rest}, and the weekend is Saturday and Sunday.",
    ))  # fmt: skip


def class_prose(rng: Random) -> str:
    """What is alive, what is a plant, what is a fruit."""
    words = [rng.choice([w for w, c in sorted(APT.items()) if c == label]) for label in ("Animal", "Plant", "Thing")]
    fruit, vegetable = (rng.choice([k for k, v in FOODS.items() if v[0] == g]) for g in ("fruit", "vegetable"))
    one, two, three = (article(w) for w in words)
    return rng.choice((
        f"{one.capitalize()} is an animal and {two} is a plant. Both are living. {three.capitalize()} is a thing; "
        f"it is not living. {article(fruit).capitalize()} is a fruit, {article(vegetable)} is a vegetable.",
        f"What lives? {one.capitalize()} lives, for it is an animal; {two} lives, for it is a plant. But {three} is "
        f"only a thing. At the market {article(fruit)} lies with the fruit, {article(vegetable)} with the vegetables.",
    ))  # fmt: skip


PROSE = [season_prose, class_prose]
