"""Texts of open writing: each function gives the slots of one and the text that fits them."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tiny_world.phrases import COUNTED_FOODS, MASS_FOODS, mentions, told
from tiny_world.world import (
    ANIMALS,
    COUNTRIES,
    DAYS,
    FOODS,
    JOBS,
    PEOPLE,
    SPORTS,
    THINGS,
    TOWN_PLACES,
    article,
    pronoun,
)

_PLACES = ("the forest", "a castle", "a garden", "the desert", "the city", "a cave", "the mountains", "a library",
           "the market", "the kitchen", "a school", "a museum", "a village", "a tent", "a shop", "a barn", "a park",
           "the jungle", "a tower", "an old house")  # fmt: skip
_AT_WORK = {"farm": "on a farm", "ship": "on a ship", "stage": "on a stage", "desk": "at a desk", "road": "on the road",
            "building site": "on a building site", "newspaper": "for a newspaper", "airport": "at an airport",
            "house": "in people's houses", "space station": "on a space station"}  # fmt: skip
_LIKED_FOODS = tuple(f for f in MASS_FOODS if f != "water")
_MOODS = ("lazy", "brave", "shy", "clever", "hungry", "lonely", "proud", "funny", "tiny", "old", "young", "curious")
_RHYMES = {
    "cat": "mat", "dog": "fog", "moon": "June", "sun": "fun", "rain": "lane", "snow": "glow", "tree": "bee",
    "star": "far", "mouse": "house", "night": "light", "spring": "ring", "bear": "chair", "boat": "goat",
    "book": "cook", "king": "ring", "bed": "bread", "day": "play", "sea": "tea", "cake": "lake",
    "train": "plane", "rose": "nose", "door": "floor", "frog": "log", "bird": "word", "fox": "box", "hill": "mill",
    "sky": "pie", "fish": "dish", "clock": "sock", "ball": "wall", "bee": "sea", "duck": "luck", "sheep": "sleep",
    "whale": "tail", "town": "crown", "hat": "rat", "snail": "mail", "owl": "towel", "bell": "shell",
}  # fmt: skip
_EVENTS = ("a storm", "a birthday", "a long walk", "a lost key", "a visit", "a wedding", "the first snow",
           "a late train", "a good meal")  # fmt: skip
_WEATHER = {
    "sunny": "The sun shines all day and the sky is blue", "rainy": "It rains all day, so take an umbrella",
    "snowy": "Snow falls all day and the roads are white", "windy": "A strong wind blows and hats fly away",
    "foggy": "Thick fog lies over the streets", "stormy": "A storm brings thunder and lightning",
    "cloudy": "Grey clouds cover the sky", "frosty": "Frost covers the roofs and it is very cold",
}  # fmt: skip


def story(rng: Random) -> tuple[Mapping[str, str], str]:
    animal, place = f"{rng.choice(_MOODS)} {rng.choice(sorted(ANIMALS))}", rng.choice(_PLACES)
    slots = {"animal": article(animal), "place": place}
    small = place.removeprefix("the ").removeprefix("a ").removeprefix("an ")
    return slots, told("""
One {day} {animal} came to {place}. It [met a {job} and they became friends|found {food} for {name}].
{animal} lived in {place}. Every {day} it [looked for {food}|sang for {name}], and all were happy.
In {place} there was {animal} that could not sleep. {name} [told it a story|gave it some {food}], and it slept.
Once {animal} got lost in {place}. A {job} [found it|heard it] and took it home.
{animal} wanted to see {place}. It [walked for {n} days|left on {day}], and the {small} was [beautiful|full of {food}].
{name} saw {animal} in {place}. "[Come|Do not fear]," {name} said, and [they went home|it smiled].
""", rng, {**slots, "small": small})  # fmt: skip


def job(rng: Random) -> tuple[Mapping[str, str], str]:
    job, name = rng.choice(sorted(JOBS)), rng.choice(PEOPLE)
    place, tool, does = JOBS[job]
    slots = {"name": name, "job": article(job)}
    at = _AT_WORK.get(place, f"in {article(place)}")
    return slots, told("""
{name} is {job}. {she} works {at} and {does}.
{name} works {at}. As {job}, {name} {does} [every day|and uses a {tool}].
{name} is {job} and uses a {tool}. [Every {day}|Every day] {she} {does}.
Every morning {name} takes the {tool}. {she} is {job} and {does}.
As {job}, {name} {does}. {she} [likes|loves] the work .
""", rng, {**slots, "at": at, "tool": tool, "does": does, "she": pronoun(name).capitalize()})  # fmt: skip


def beast(rng: Random) -> tuple[Mapping[str, str], str]:
    a = ANIMALS[rng.choice(sorted(ANIMALS))]
    part = rng.choice(("home", "body", "food", "family"))
    legs = {0: "no legs", 2: "two legs", 4: "four legs", 6: "six legs", 8: "eight legs"}[a.legs]
    food = {"plants": "plants", "meat": "other animals", "both": "plants and animals"}[a.diet]
    group = article(a.group)
    body = "a shell" if a.covering == "shell" else a.covering
    text = {
        "home": f"[The|A] {a.name} lives in the {a.habitat}. That is [its home|where it sleeps and eats].",
        "body": f"[The|A] {a.name} is a {a.size} animal with {legs}. It has {body}.",
        "food": f"[The|A] {a.name} eats {food}. It [finds|looks for] its food in the {a.habitat}.",
        "family": f"[The|A] {a.name} is {group}. Its young is called a {a.young}.",
    }[part]
    return {"animal": a.name, "part": part}, told(text, rng)


def beast_check(output: str, slots: Mapping[str, str]) -> bool:
    a = ANIMALS.get(slots.get("animal", ""))
    if a is None:
        return len(output.split()) > 5
    facts = {"home": (a.habitat,), "body": (a.covering, a.size), "food": ("eats",), "family": (a.group, a.young)}
    return any(mentions(output, fact) for fact in facts.get(slots.get("part", ""), ("",)))


def poem(rng: Random) -> tuple[Mapping[str, str], str]:
    one = rng.choice(sorted(_RHYMES))
    mood = rng.choice(("funny", "dreamy", "sweet", "merry", "quiet", "silly"))
    return {"mood": mood, "topic": one}, told(f"""
I [saw|dream of] a {one}, [so {mood} and small|my {mood} old friend], and [then |]I thought of {_RHYMES[one]}.
The {one} is [here|there], the {_RHYMES[one]} is [near|far], {{name}} and I are [glad|{mood}] as a star.
Oh {mood} {one}, [be my|you are my] friend, this {_RHYMES[one]} song has no end.
[My|The] {one} is {{colour}}, [my|the] {one} is {mood}, I sing to the {_RHYMES[one]} and it does me good.
""", rng)  # fmt: skip


def slogan(rng: Random) -> tuple[Mapping[str, str], str]:
    thing, adjective = (
        rng.choice(sorted({*THINGS, *COUNTED_FOODS})),
        rng.choice(("new", "cheap", "strong", "fresh", "magic", "green")),
    )
    slots = {"product": f"{adjective} {thing}"}
    return slots, told("""
[Buy|Try|Choose] our {product} [today|this {day}|now] and [smile|be happy|save money]!
A {product} for [every home|{name}, for you, for all|young and old]!
[No home|No {job}|No {day}] without our {product}!
[Life is better|The day is brighter|Everything is easier] with a {product}.
{product}: [simply the best|good for you|loved in {city}]!
""", rng, slots)  # fmt: skip


def report(rng: Random) -> tuple[Mapping[str, str], str]:
    city, weather = rng.choice(sorted(v[0] for v in COUNTRIES.values())), rng.choice(sorted(_WEATHER))
    day = rng.choice(DAYS)
    text = _WEATHER[weather]
    return {"weather": weather, "city": city, "day": day}, told(f"""
{day} will be {weather} in {city}. {text}.
[Good morning|Hello], {city}! It is a {weather} {day}. {text}.
In {city} it is {weather} on {day}. {text}.
A {weather} {day} waits for {city}. {text}.
""", rng)  # fmt: skip


def weather_check(output: str, slots: Mapping[str, str]) -> bool:
    told_of = _WEATHER.get(slots.get("weather", ""), "")
    return sum(w in output.lower() for w in ("sun", "rain", "snow", "wind", "fog", "storm", "cloud", "frost")) > 0 or (
        bool(told_of) and told_of in output
    )


def diary(rng: Random) -> tuple[Mapping[str, str], str]:
    person, event = rng.choice(sorted(JOBS)), rng.choice(_EVENTS)
    slots = {"person": article(person), "event": event}
    tool = JOBS[person][1]
    return slots, told(f"""
Dear diary, as {{person}} I [had|saw] {{event}} today. [I forgot my {tool}|My {tool} helped], and I laughed.
[Today|This {{day}}] there was {{event}}. It is not easy to be {{person}}, but I am [happy|proud].
{{day}}: {{event}} again! I am {{person}}, [and my {tool} is broken|so {{name}} came to help me].
I will never forget {{event}} today. I was [the only {person}|just {{person}}] there, with my {tool} in my hand.
""", rng, slots)  # fmt: skip


def rule(rng: Random) -> tuple[Mapping[str, str], str]:
    place, who = (
        rng.choice(TOWN_PLACES),
        rng.choice(("children", "visitors", "dog owners", "workers", "tourists", "students")),
    )
    return {"who": who, "place": place}, told(f"""
At the {place}, {who} must [be quiet|not run|keep their hands clean|listen to the {{job}}].
All {who} [have to|must] leave the {place} [before dark|by {{n}} o'clock].
{who} may not [bring a {{animal}}|eat {{food}}|play {{sport}}] at the {place}.
[Please keep|Keep] the {place} clean: {who} must take their {{thing}} home.
""", rng)  # fmt: skip


def opening(rng: Random) -> tuple[Mapping[str, str], str]:
    hero, sort = rng.choice(sorted(JOBS)), rng.choice(("sad", "funny", "scary", "love", "crime", "fairy"))
    mood = {"sad": "nobody had smiled since {month}", "funny": "the {animal} wore a {colour} hat",
            "scary": "something moved in the dark", "love": "{name} had the kindest eyes",
            "crime": "the {thing} was stolen at night", "fairy": "the {animal} could talk"}[sort]  # fmt: skip
    return {"sort": sort, "hero": article(hero)}, told(f"""
[One {{day}} in {{month}}|Long ago in {{city}}], {mood}, and {article(hero)} knew why.
There was once {article(hero)} in {{city}}, and {mood}.
When {article(hero)} came to the {{place}}, {mood}.
Only {article(hero)} could tell it: {mood}.
""", rng)  # fmt: skip


def like(rng: Random) -> tuple[Mapping[str, str], str]:
    name = rng.choice(PEOPLE)
    hobby = rng.choice((*SPORTS, *_LIKED_FOODS, *[f"the {p}" for p in TOWN_PLACES]))
    if hobby in SPORTS:
        why = rng.choice(("it keeps {them} fit", "{she} plays it with {name2}", "{she} likes to win"))
    elif hobby in FOODS:
        why = rng.choice(
            (f"it tastes {FOODS[hobby][2]}", "it was the first thing {she} ate in {city}", "{name2} makes it so well")
        )
    else:
        why = rng.choice(("it is quiet there", "{she} meets {name2} there", "there is always something to see"))
    why = why.replace("{them}", {"she": "her", "he": "him"}[pronoun(name)])
    return {"name": name, "hobby": hobby}, told(f"""
{name} likes {hobby} because {why}.
Because {why}, {name} [loves|likes] {hobby}.
{name} enjoys {hobby}, [for|since] {why}.
""", rng, {"she": pronoun(name)})  # fmt: skip


def has_reason(output: str, slots: Mapping[str, str]) -> bool:
    return any(word in output.lower().split() for word in ("because", "for", "since", "as", "so"))


def country(rng: Random) -> tuple[Mapping[str, str], str]:
    country = rng.choice(sorted(COUNTRIES))
    capital, continent, language, money, _ = COUNTRIES[country]
    part = rng.choice(("capital", "continent", "language", "money"))
    text = {
        "capital": f"The capital of {country} is {capital}.\n{capital} is the capital of {country}.",
        "continent": f"{country} is in {continent}.\n{country} is a country in {continent}.",
        "language": f"People in {country} speak {language}.\nThe language of {country} is {language}.",
        "money": f"People in {country} pay with the {money}.\nThe money of {country} is the {money}.",
    }[part]
    return {"part": part, "country": country}, told(text, rng)


def country_check(output: str, slots: Mapping[str, str]) -> bool:
    facts = COUNTRIES.get(slots.get("country", ""))
    parts = ("capital", "continent", "language", "money")
    part = slots.get("part", "")
    return facts is not None and mentions(output, facts[parts.index(part)] if part in parts else facts[0])
