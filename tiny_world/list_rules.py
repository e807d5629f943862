"""Rules of lists: how they are drawn, solved and judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

from tiny_world.kind import Draw, Example, Judge, Verdict, by_rule, normalize
from tiny_world.world import (
    ANIMALS,
    COLOURS,
    COUNTRIES,
    DAYS,
    FOODS,
    INSTRUMENTS,
    JOBS,
    MONTHS,
    NUMBER_WORDS,
    SPORTS,
    THINGS,
    VEHICLES,
    join,
)

Solved = Sequence[str] | None

CLASSES: dict[str, tuple[str, ...]] = {
    "animals": tuple(ANIMALS),
    "birds": tuple(a for a, v in ANIMALS.items() if v.group == "bird"),
    "mammals": tuple(a for a, v in ANIMALS.items() if v.group == "mammal"),
    "fish": tuple(a for a, v in ANIMALS.items() if v.group == "fish"),
    "insects": tuple(a for a, v in ANIMALS.items() if v.group == "insect"),
    "farm animals": tuple(a for a, v in ANIMALS.items() if v.habitat == "farm"),
    "forest animals": tuple(a for a, v in ANIMALS.items() if v.habitat == "forest"),
    "fruits": tuple(f for f, v in FOODS.items() if v[0] == "fruit"),
    "vegetables": tuple(f for f, v in FOODS.items() if v[0] == "vegetable"),
    "drinks": (*(f for f, v in FOODS.items() if v[0] == "drink"), "milk"),
    "sweets": tuple(f for f, v in FOODS.items() if v[0] == "sweet"),
    "jobs": tuple(JOBS), "colours": tuple(COLOURS), "sports": tuple(SPORTS), "instruments": tuple(INSTRUMENTS),
    "vehicles": tuple(VEHICLES), "days of the week": tuple(DAYS), "months": tuple(MONTHS),
    "European countries": tuple(c for c, v in COUNTRIES.items() if v[1] == "Europe"),
    "Asian countries": tuple(c for c, v in COUNTRIES.items() if v[1] == "Asia"),
    "kitchen things": tuple(t for t, v in THINGS.items() if v[1] == "kitchen"),
    "metal things": tuple(t for t, v in THINGS.items() if v[0] == "metal"),
    "wooden things": tuple(t for t, v in THINGS.items() if v[0] == "wood"),
    "green foods": tuple(f for f, v in FOODS.items() if v[1] == "green"),
    "red foods": tuple(f for f, v in FOODS.items() if v[1] == "red"),
}  # fmt: skip
PICKED = ("animals", "birds", "mammals", "fruits", "vegetables", "jobs", "colours", "sports", "vehicles", "instruments")
APART = ("animals", "fruits", "vegetables", "jobs", "colours", "sports", "vehicles", "instruments", "kitchen things")
KIT = {
    "a beach trip": "towel,swimsuit,sun cream,hat,ball", "a ski trip": "skis,gloves,warm socks,coat,scarf",
    "a camping trip": "tent,lamp,blanket,rope,pot", "a school day": "book,pencil,ruler,notebook,lunch",
    "a hospital stay": "toothbrush,towel,book,slippers,soap", "a rainy walk": "umbrella,boots,coat,hat,towel",
    "a picnic": "blanket,bread,cheese,cups,fruit", "a business trip": "laptop,suit,notebook,pen,tickets",
    "a boat trip": "rope,life jacket,hat,net,water", "a football match": "ball,boots,shirt,water,scarf",
    "a mountain hike": "boots,compass,water,bread,rope", "a night on a train": "pillow,blanket,book,tickets,sandwich",
}  # fmt: skip
DISHES = {
    "a fruit salad": "apples,bananas,oranges,grapes,lemon", "pancakes": "flour,eggs,milk,butter,sugar",
    "a pizza": "flour,tomatoes,cheese,ham,oil", "vegetable soup": "carrots,onions,potatoes,beans,salt",
    "a sandwich": "bread,butter,cheese,ham,tomatoes", "an omelette": "eggs,butter,cheese,onions,salt",
    "a chocolate cake": "flour,eggs,chocolate,butter,sugar", "rice pudding": "rice,milk,sugar,cream,honey",
    "pasta with sauce": "pasta,tomatoes,garlic,onions,cheese", "a green salad": "cucumber,spinach,oil,lemon,salt",
    "porridge": "oats,milk,honey,banana,butter", "roast chicken": "chicken,garlic,lemon,potatoes,butter",
}  # fmt: skip
STEPS = {
    "make tea": "Boil water. Put tea in a cup. Pour the water over it.",
    "brush your teeth": "Wet the toothbrush. Brush all teeth. Rinse with water.",
    "plant a tree": "Dig a hole. Put the tree in it. Water it well.",
    "wash a dog": "Fill a tub with warm water. Rub the dog with soap. Dry it with a towel.",
    "boil an egg": "Put water in a pot. Boil the egg in it. Cool it in cold water.",
    "send a letter": "Write the letter. Put it in an envelope with a stamp. Take it to the post office.",
    "bake bread": "Mix flour and water. Let the dough rest. Bake it in the oven.",
    "make a bed": "Shake the pillow. Spread the sheet. Put the blanket on top.",
    "paint a door": "Clean the door. Open the paint. Use a brush from top to bottom.",
    "wash your hands": "Wet your hands. Rub them with soap. Rinse and dry them.",
    "borrow a book": "Visit the library. Choose a book. Show your card.",
    "catch a bus": "Walk to the stop. Wait for the bus. Buy a ticket.",
    "cook rice": "Wash the rice. Boil it in water. Add salt.",
    "build a snowman": "Roll three balls of snow. Put them on each other. Add a carrot as a nose.",
}  # fmt: skip
WHO = ("a child", "a beginner", "my uncle", "a robot", "a new friend", "a guest", "my class", "an old man")


def items_of(text: str) -> list[str]:
    """The items of a written list."""
    return [i.strip(" .") for i in re.split(r",|;|\n| and ", text) if i.strip(" .")]


def written_list(items: Sequence[str]) -> str:
    return ", ".join(items)


def belongs(item: str, table: Sequence[str]) -> bool:
    folded = {normalize(t) for t in table}
    return normalize(item) in folded or normalize(item).removesuffix("s") in folded


def count_of(slots: Mapping[str, str], least: int = 2) -> tuple[int, int]:
    word = normalize(slots.get("count", ""))
    if word in NUMBER_WORDS:
        return NUMBER_WORDS.index(word), NUMBER_WORDS.index(word)
    return (int(word), int(word)) if word.isdigit() else (least, 8)


def from_table(slot: str, table: Mapping[str, Sequence[str]], counts: Sequence[int]) -> tuple[Draw, Judge]:
    """Name {count} things out of the table's entry for the value of `slot`."""

    def draw(rng: Random) -> Example:
        key, count = rng.choice(sorted(table)), rng.choice(counts)
        count = min(count, len(table[key]))
        return Example("", written_list(rng.sample(table[key], count)), {"count": NUMBER_WORDS[count], slot: key})

    def judge(input: str, output: str, slots: Mapping[str, str]) -> Verdict:
        key = next((k for k in table if normalize(k) == normalize(slots.get(slot, ""))), None)
        if key is None:
            return Verdict(False, False)
        items, (low, high) = items_of(output), count_of(slots)
        distinct = len({normalize(i) for i in items}) == len(items)
        return Verdict(True, low <= len(items) <= high and distinct and all(belongs(i, table[key]) for i in items))

    return draw, judge


def draw_pick(rng: Random) -> Example:
    category = rng.choice(PICKED)
    mine = rng.sample(CLASSES[category], rng.choice((1, 2, 2)))
    other = [w for w in (*THINGS, *FOODS, *ANIMALS, *JOBS) if w not in CLASSES[category]]
    items = [*mine, *(w for w in rng.sample(other, 2) if w not in COLOURS)]
    rng.shuffle(items)
    return Example(written_list(items), "", {"category": category})


def pick_out(input: str, slots: Mapping[str, str]) -> Solved:
    table = CLASSES.get(slots.get("category", ""))
    items = items_of(input)
    found = [i for i in items if table and belongs(i, table)]
    return (written_list(found), join(found)) if found and len(found) < len(items) else None


def draw_odd(rng: Random) -> str:
    one, two = rng.sample(APART, 2)
    items = [*rng.sample(CLASSES[one], 3), rng.choice(CLASSES[two])]
    rng.shuffle(items)
    return written_list(items) if odd_one(written_list(items), {}) else draw_odd(rng)


def odd_one(input: str, slots: Mapping[str, str]) -> Solved:
    items = items_of(input)
    if len(items) < 3 or len(set(items)) < len(items):
        return None
    for name in APART:
        out = [i for i in items if not belongs(i, CLASSES[name])]
        if len(out) == 1:
            return (out[0],)
    return None


def draw_words(rng: Random) -> str:
    return written_list(rng.sample(sorted({*ANIMALS, *FOODS, *THINGS, *VEHICLES}), rng.choice((3, 3, 4))))


def on_items(answer: Callable[[list[str]], str], least: int = 3) -> tuple[Draw, Judge]:
    def solve(input: str, slots: Mapping[str, str]) -> Solved:
        items = items_of(input)
        fits = least <= len(items) <= 7 and len({normalize(i) for i in items}) == len(items)
        return (answer(items),) if fits else None

    return by_rule(draw_words, solve)


def draw_end(rng: Random) -> Example:
    return Example(draw_words(rng), "", {"which": rng.choice(("first", "last", "second"))})


def end_item(input: str, slots: Mapping[str, str]) -> Solved:
    items = items_of(input)
    at = {"first": 0, "second": 1, "last": -1}.get(slots.get("which", ""))
    return None if at is None or len(items) < 2 else (items[at],)


def draw_twice(rng: Random) -> str:
    items = items_of(draw_words(rng))
    items.insert(rng.randint(0, len(items)), rng.choice(items))
    return written_list(items)


def each_once(input: str, slots: Mapping[str, str]) -> Solved:
    items = items_of(input)
    once = list(dict.fromkeys(items))
    return (written_list(once),) if 2 <= len(once) < len(items) else None


SIZES = {a: ("small", "medium", "large").index(v.size) for a, v in ANIMALS.items()}


def draw_sizes(rng: Random) -> str:
    three = [rng.choice([a for a in sorted(SIZES) if SIZES[a] == s]) for s in range(3)]
    rng.shuffle(three)
    return written_list(three)


def by_size(input: str, slots: Mapping[str, str]) -> Solved:
    items = [normalize(i) for i in items_of(input)]
    if len(items) < 2 or any(i not in SIZES for i in items) or len({SIZES[i] for i in items}) < len(items):
        return None
    return (written_list(sorted(items, key=SIZES.__getitem__)),)


def draw_steps(rng: Random) -> Example:
    task = rng.choice(sorted(STEPS))
    return Example("", STEPS[task], {"task": task, "who": rng.choice(WHO)})


def judge_steps(input: str, output: str, slots: Mapping[str, str]) -> Verdict:
    right = next((v for k, v in STEPS.items() if normalize(k) == normalize(slots.get("task", ""))), None)
    return Verdict(right is not None, right is not None and normalize(right) == normalize(output))
