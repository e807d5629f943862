"""Rules of small numbers: how an exercise is drawn and solved."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from random import Random

from tiny_world.kind import Draw, Example, Judge, by_rule, normalize
from tiny_world.phrases import COUNTED_FOODS, MASS_FOODS
from tiny_world.world import ANIMALS, COLOURS, FOODS, NUMBER_WORDS, PEOPLE, THINGS, article

Solved = Sequence[str] | None
HOURS = NUMBER_WORDS[1:13]


def numbers_in(text: str) -> list[int]:
    return [int(n) for n in re.findall(r"\d+", text)]


def number_rule(
    draw: Callable[[Random], str | Example], count: range, answer: Callable[[list[int]], object]
) -> tuple[Draw, Judge]:
    """A rule on the numbers of the input, of which there must be as many as `count` allows."""

    def solve(input: str, slots: Mapping[str, str]) -> Solved:
        numbers = numbers_in(input)
        result = answer(numbers) if len(numbers) in count else None
        return None if result is None else (str(result),)

    return by_rule(draw, solve)


def two_addends(rng: Random) -> tuple[int, int]:
    a, b = rng.randint(2, 18), rng.randint(2, 18)
    return (a, b) if a + b <= 20 else two_addends(rng)


def written_list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def draw_sum(rng: Random) -> str:
    a, b = two_addends(rng)
    return rng.choice((f"{a} + {b}", f"{a} and {b}", f"{a} plus {b}"))


def draw_difference(rng: Random) -> str:
    a, b = rng.randint(3, 20), rng.randint(1, 19)
    return rng.choice((f"{a} - {b}", f"{a} minus {b}")) if b < a else draw_difference(rng)


def part_of(input: str, slots: Mapping[str, str]) -> Solved:
    numbers, part = numbers_in(input), normalize(slots.get("part", ""))
    if len(numbers) != 1:
        return None
    n = numbers[0]
    if "half" in part:
        return None if n % 2 else (str(n // 2),)
    if "double" in part or "twice" in part:
        return (str(2 * n),)
    return (str(n + 10),) if "ten more" in part else None


def draw_part(rng: Random) -> Example:
    part = rng.choice(("half of", "the double of", "ten more than"))
    n = 2 * rng.randint(1, 40) if part == "half of" else rng.randint(1, 50)
    return Example(str(n), "", {"part": part})


def draw_sequence(rng: Random) -> str:
    step, start = rng.choice((1, 2, 3, 5, 10, -1, -2)), rng.randint(1, 20)
    return written_list([start + abs(step) * 4 * (step < 0) + step * i for i in range(4)])


def next_in_row(numbers: list[int]) -> int | None:
    steps = {b - a for a, b in pairwise(numbers)}
    return numbers[-1] + min(steps) if len(steps) == 1 else None


def draw_gap(rng: Random) -> str:
    step, start, gap = rng.choice((1, 2, 5, 10)), rng.randint(1, 20), rng.randint(1, 3)
    return ", ".join("?" if i == gap else str(start + step * i) for i in range(5))


def fill_gap(input: str, slots: Mapping[str, str]) -> Solved:
    parts = [p.strip() for p in re.split(r"[,\s]+", input.strip())]
    if len(parts) < 4 or any(p != "?" and not p.isdigit() for p in parts) or parts.count("?") != 1:
        return None
    hole = parts.index("?")
    known = [(i, int(p)) for i, p in enumerate(parts) if p != "?"]
    (i, a), (j, b) = known[0], known[-1]
    step = (b - a) / (j - i)
    fits = all(a + step * (k - i) == n for k, n in known)
    return (str(int(a + step * (hole - i))),) if fits and step == int(step) else None


def draw_few(rng: Random) -> str:
    return written_list(rng.sample(range(1, 40), rng.choice((3, 4))))


def draw_things(rng: Random) -> str:
    words = rng.sample(sorted({*ANIMALS, *FOODS, *THINGS}), rng.randint(2, 8))
    return ", ".join(words)


def count_of(input: str, slots: Mapping[str, str]) -> Solved:
    items = [i for i in re.split(r",| and ", input) if i.strip()]
    if len(items) < 2 or any(len(i.split()) > 3 for i in items):
        return None
    return (str(len(items)), NUMBER_WORDS[len(items)] if len(items) <= 20 else str(len(items)))


def draw_price(rng: Random) -> str:
    a, b = two_addends(rng)
    one, two = rng.sample(sorted({*THINGS, *COUNTED_FOODS}), 2)
    name = rng.choice(PEOPLE)
    return rng.choice((
        f"{article(one)} costs {a} coins and {article(two)} costs {b} coins.".capitalize(),
        f"{name} buys {article(one)} for {a} coins and {article(two)} for {b} coins.",
        f"The {one} is {a} coins, the {two} is {b} coins.",
    ))  # fmt: skip


def clock_words(input: str, slots: Mapping[str, str]) -> Solved:
    match = re.fullmatch(r"(\d{1,2}):(\d\d)", input.strip())
    if not match or not 1 <= int(match[1]) <= 12 or int(match[2]) % 5 or int(match[2]) > 55:
        return None
    hour, minute = int(match[1]), int(match[2])
    names = {0: "o'clock", 5: "five", 10: "ten", 15: "quarter", 20: "twenty", 25: "twenty-five", 30: "half"}
    if minute == 0:
        return (f"{HOURS[hour - 1]} o'clock",)
    if minute <= 30:
        return (f"{names[minute]} past {HOURS[hour - 1]}",)
    return (f"{names[60 - minute]} to {HOURS[hour % 12]}",)


def draw_age(rng: Random) -> str:
    one, two = rng.sample(PEOPLE, 2)
    a, b = rng.randint(2, 15), rng.randint(2, 9)
    if b < a and rng.random() < 0.5:
        return f"{one} is {a} years old. {two} is {b} years younger."
    return f"{one} is {a} years old. {two} is {b} years older."


def age_of(input: str, slots: Mapping[str, str]) -> Solved:
    numbers = numbers_in(input)
    if len(numbers) != 2 or ("older" in input) == ("younger" in input):
        return None
    return (str(numbers[0] + numbers[1] if "older" in input else numbers[0] - numbers[1]),)


def draw_parity(rng: Random) -> str:
    n, food = rng.randint(1, 60), rng.choice(MASS_FOODS)
    return rng.choice((str(n), f"{n} pieces of {food}", f"{n} coins", f"{n} {rng.choice(COLOURS)} balls"))


def draw_clock(rng: Random) -> str:
    return f"{rng.randint(1, 12)}:{5 * rng.randint(0, 11):02d}"
