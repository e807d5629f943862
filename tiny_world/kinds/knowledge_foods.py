"""Kinds on foods: their group, taste and colour, and riddles about a food."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

from tiny_world.kind import Example, Kind, by_rule, lookup
from tiny_world.kinds.words import Prose, teller
from tiny_world.world import FOODS

_MORE_FOODS = """apricot,fruit,orange,sweet/raspberry,fruit,red,sweet/blackberry,fruit,black,sweet
mango,fruit,orange,sweet
pineapple,fruit,yellow,sweet/kiwi,fruit,green,sour/fig,fruit,purple,sweet/date,fruit,brown,sweet
grapefruit,fruit,pink,sour
cranberry,fruit,red,sour/coconut,fruit,brown,sweet/papaya,fruit,orange,sweet/gooseberry,fruit,green,sour
raisin,fruit,brown,sweet
lettuce,vegetable,green,mild/celery,vegetable,green,mild/broccoli,vegetable,green,bitter
cauliflower,vegetable,white,mild
leek,vegetable,green,sharp/beetroot,vegetable,red,sweet/turnip,vegetable,white,mild/aubergine,vegetable,purple,mild
mushroom,vegetable,brown,mild/chili,vegetable,red,sharp/ginger,vegetable,brown,sharp/kale,vegetable,green,bitter
asparagus,vegetable,green,bitter/artichoke,vegetable,green,bitter/barley,grain,brown,mild/rye,grain,brown,mild
wheat,grain,brown,mild
noodles,grain,yellow,mild/toast,grain,brown,mild/flour,grain,white,mild/feta,dairy,white,salty
buttermilk,dairy,white,sour
bacon,meat,pink,salty/pork,meat,pink,mild/steak,meat,red,mild/salami,meat,red,salty/turkey,meat,white,mild
lamb,meat,red,mild
toffee,sweet,brown,sweet/marshmallow,sweet,white,sweet/syrup,sweet,brown,sweet/doughnut,sweet,brown,sweet
caramel,sweet,brown,sweet
cocoa,drink,brown,sweet/lemonade,drink,yellow,sweet/cider,drink,yellow,sour/beer,drink,yellow,bitter
wine,drink,red,sour
rhubarb,vegetable,red,sour/quince,fruit,yellow,sour/nectarine,fruit,orange,sweet/courgette,vegetable,green,mild"""
DISHES: dict[str, tuple[str, str, str]] = dict(FOODS)
for _row in _MORE_FOODS.replace("\n", "/").split("/"):
    _name, _group, _colour, _taste = _row.split(",")
    DISHES[_name] = (_group, _colour, _taste)
GROUPS = tuple(sorted({row[0] for row in DISHES.values()}))
TASTES = tuple(sorted({row[2] for row in DISHES.values()}))
HINTS = {"fruit": "a fruit", "vegetable": "a vegetable", "grain": "made of grain", "dairy": "made of milk",
"meat": "meat",
         "sweet": "a treat", "drink": "a drink"}  # fmt: skip


def draw_food_clues(rng: Random) -> str:
    """A riddle about a food."""
    group, colour, taste = DISHES[rng.choice(sorted(DISHES))]
    clues = [f"It is {HINTS[group]}.", f"Its colour is {colour}.", f"It tastes {taste}."]
    rng.shuffle(clues)
    return " ".join(
        [
            *rng.choice(((), ("You can eat or drink it.",), ("Guess my food.",), ("It is on my plate or in my cup.",))),
            *clues,
        ]
    )


def foods_of(clues: str, slots: Mapping[str, str]) -> Sequence[str] | None:
    """All foods that the riddle fits."""
    text = clues.lower()
    group = next((g for g, hint in HINTS.items() if f"it is {hint}." in text), None)
    colour, taste = re.search(r"colour is (\w+)", text), re.search(r"tastes (\w+)", text)
    if not (group or colour or taste):
        return None
    return [name for name, row in DISHES.items() if group in (None, row[0]) and (not colour or colour[1] == row[1])
            and (not taste or taste[1] == row[2])] or None  # fmt: skip


def draw_food_fact(rng: Random) -> Example:
    """A food and what is asked about it."""
    return Example("", "", {"quality": rng.choice(("colour", "taste")), "food": rng.choice(sorted(DISHES))})


def food_fact(input: str, slots: Mapping[str, str]) -> Sequence[str] | None:
    """The colour or taste of a food."""
    row, quality = DISHES.get(slots.get("food", "").lower()), slots.get("quality", "").lower()
    return [row[1] if quality == "colour" else row[2]] if row and quality in ("colour", "taste") else None


KINDS: list[Kind] = [
    Kind("food_group", "Classification",
         "In this task you are given a food or a drink. Classify it as one of: dairy, drink, fruit, grain, meat, "
         "sweet, vegetable.",
         *lookup({n: row[0] for n, row in DISHES.items()}),
         ("[Which|What] food group does it belong to?",
          "Is it dairy, a drink, fruit, grain, meat, a sweet or a vegetable?",
          "[Sort|Classify] the food: dairy, drink, fruit, grain, meat, sweet or vegetable.",
          "[Name|Write] the group of this food.",
          "On which shelf of the supermarket would you put it: fruit, vegetable, meat or another?",
          "A cook sorts the shopping. Where does this [item|food] go?", "What kind of food is this one?",
          "[Please|] label the food with its group.",
          "You read something to eat or drink; answer with its group.",
          "The food pyramid has groups. Give the right one here.",
          "Put this on the shopping list under the right heading, such as fruit or dairy.",
          "Would you call it fruit, vegetable, meat or something else?"),
         ("Which food group does {input} belong to?",
          "Is {input} dairy, drink, fruit, grain, meat, sweet or vegetable?", "What kind of food is {input}?",
          "Classify the food {input}."),
         labels=GROUPS),
    Kind("food_taste", "Classification",
         "You are given something to eat or drink. Decide how it tastes and answer with one of: bitter, mild, salty, "
         "sharp, sour, sweet.",
         *lookup({n: row[2] for n, row in DISHES.items()}),
         ("How does it taste?", "[Name|Write] the taste of the food.",
          "Is it bitter, mild, salty, sharp, sour or sweet?",
          "What does your tongue notice: bitter, mild, salty, sharp, sour or sweet?",
          "[Decide|Say] what flavour this has.", "[Please|] choose the word that describes its taste.",
          "You get a food; answer with how it tastes.", "Bite into it. What is the taste?",
          "A guest has never eaten this. Tell her how it will taste.", "Sweet, sour or what else?",
          "Judge the flavour of the food.", "Which taste would a cook expect from it?"),
         ("How does {input} taste?", "Is {input} bitter, mild, salty, sharp, sour or sweet?",
          "What taste has {input}?", "Describe the flavour of {input} with one word."),
         labels=TASTES),
    Kind("food_colour", "World Knowledge",
         "In this task you are given something to eat or drink. Your task is to write the colour that it usually has.",
         *lookup({n: row[1] for n, row in DISHES.items()}),
         ("What colour is this food?", "[Name|Write] the usual colour of the food.",
          "Which colour would a painter need for it?", "[Say|State] what colour this food has.",
          "Colour it in: which pencil do you take for this food?", "How does it look, if you think of the colour only?",
          "[Please|] give the colour of this food or drink.", "You get a food; answer with a colour.",
          "On the market stand you see it. What colour meets your eye?", "Match the food with its colour.",
          "Red, green, yellow, brown? Choose for this food.", "Imagine it on a white plate. Which colour stands out?"),
         ("What colour is the food {input}?", "Which colour does {input} usually have?", "Name the colour of {input}.",
          "If you paint {input}, which colour do you use?")),
    Kind("food_fact", "World Knowledge",
         "You are given a word, colour or taste, and the name of a food or drink. Your task is to write this quality "
         "of the food.",
         *by_rule(draw_food_fact, food_fact),
         ("What {quality} does the food {food} have?", "[Give|Name] the usual {quality} of {food} as a food.",
          "I am describing the food {food}. Which {quality} should I mention?",
          "A child has never seen the food {food}. Tell her its {quality}.",
          "If you think of {food} on a plate or in a cup, what is the {quality}?",
          "For my cookbook I need the {quality} of {food}.",
          "[Please|] note the {quality} that {food} has in the kitchen.",
          "Someone puts {food} on the table. Say the {quality}.",
          "In the kitchen there is {food}. [Describe|State] its {quality} in one word.",
          "Which {quality} do cooks connect with {food}?", "Foods differ; write the {quality} for {food}.",
          "The shop sells {food}. What is its {quality}, typically?")),
    Kind("guess_food", "World Knowledge",
         "In this task you are given clues about a food or drink. Find one that fits all the clues and write its name.",
         *by_rule(draw_food_clues, foods_of),
         ("[Guess|Find] the food.", "Which food or drink fits the clues?",
          "[Name|Write] something to eat or drink that is like this.", "A kitchen riddle: what is it?",
          "What could I have bought at the market?", "[Please|] solve the riddle about food.",
          "From colour and taste, say what it may be.",
          "I am thinking of something on the table. What could it be?",
          "Blindfold game: use the hints to name the food.", "Read the hints and name a fitting food.",
          "Think of a food that matches everything said.", "The cook gives hints about the menu. What does he mean?"),
         ("Which food is it? {input}", "{input} What food or drink could it be?", "Guess the food: {input}",
          "{input} Name such a food.")),
]  # fmt: skip

PROSE: list[Prose] = [
    teller([(n, *row, HINTS[row[0]]) for n, row in DISHES.items()], ("{0}: {1}, {2}, {3}.",
    "What colour is {0}? It is {2}.", "{0} tastes {3}.", "{0} belongs to the group {1}.", "{0} is {4} and tastes {3}.",
    "The colour of {0} is {2}.", "For the cook, {0} is {4}.", "Both {2} and {3}: that is {0}.")),
]  # fmt: skip
