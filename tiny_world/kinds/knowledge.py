"""Kinds on countries: capitals, continents, languages, money, and riddles about a country."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from tiny_world.kind import Example, Kind, by_rule, lookup
from tiny_world.kinds.words import Prose, teller
from tiny_world.world import COUNTRIES

MORE_CAPITALS = {row.split(",")[0].strip(): (row.split(",")[1], row.split(",")[2]) for row in """Belgium,Brussels,Europe
Netherlands,Amsterdam,Europe/Switzerland,Bern,Europe/Scotland,Edinburgh,Europe/Wales,Cardiff,Europe
Croatia,Zagreb,Europe
Serbia,Belgrade,Europe/Romania,Bucharest,Europe/Bulgaria,Sofia,Europe/Albania,Tirana,Europe/Estonia,Tallinn,Europe
Latvia,Riga,Europe/Lithuania,Vilnius,Europe/Slovakia,Bratislava,Europe/Slovenia,Ljubljana,Europe/Malta,Valletta,Europe
Cyprus,Nicosia,Europe/Algeria,Algiers,Africa/Tunisia,Tunis,Africa/Libya,Tripoli,Africa/Sudan,Khartoum,Africa
Nigeria,Abuja,Africa
Uganda,Kampala,Africa/Rwanda,Kigali,Africa/Zambia,Lusaka,Africa/Zimbabwe,Harare,Africa/Angola,Luanda,Africa
Mali,Bamako,Africa
Niger,Niamey,Africa/Chad,N'Djamena,Africa/Namibia,Windhoek,Africa/Somalia,Mogadishu,Africa/Mongolia,Ulaanbaatar,Asia
Nepal,Kathmandu,Asia/Pakistan,Islamabad,Asia/Afghanistan,Kabul,Asia/Bangladesh,Dhaka,Asia/Laos,Vientiane,Asia
Indonesia,Jakarta,Asia
Philippines,Manila,Asia/South Korea,Seoul,Asia/North Korea,Pyongyang,Asia/Syria,Damascus,Asia/Lebanon,Beirut,Asia
Jordan,Amman,Asia
Qatar,Doha,Asia/Oman,Muscat,Asia/Saudi Arabia,Riyadh,Asia/Jamaica,Kingston,North America
Panama,Panama City,North America
Nicaragua,Managua,North America/Honduras,Tegucigalpa,North America/Costa Rica,San Jose,North America
Haiti,Port-au-Prince,North America
Venezuela,Caracas,South America/Ecuador,Quito,South America/Uruguay,Montevideo,South America
Paraguay,Asuncion,South America
New Zealand,Wellington,Oceania/Fiji,Suva,Oceania/Samoa,Apia,Oceania""".replace("\n", "/").split("/")}  # fmt: skip
PLACES = {**{c: (row[0], row[1]) for c, row in COUNTRIES.items()}, **MORE_CAPITALS}
CONTINENTS = ("Africa", "Asia", "Europe", "North America", "South America", "Oceania")

COUNTRY_FACTS = ("capital", "continent", "language", "currency", "nationality")


def draw_country_fact(rng: Random) -> Example:
    """A country and what is asked about it."""
    return Example("", "", {"attribute": rng.choice(COUNTRY_FACTS), "country": rng.choice(sorted(COUNTRIES))})


def country_fact(input: str, slots: Mapping[str, str]) -> list[str] | None:
    """The attribute of the country."""
    row = {c.lower(): r for c, r in COUNTRIES.items()}.get(slots.get("country", "").lower())
    attribute = slots.get("attribute", "").lower()
    return [row[COUNTRY_FACTS.index(attribute)]] if row and attribute in COUNTRY_FACTS else None


CLUES = (
    ("Its capital is {}.", "{} is its capital.", "The government sits in {}."),
    ("It lies in {}.", "It is in {}.", "You find it in {}."),
    ("People there speak {}.", "{} is spoken there.", "The language is {}."),
    ("You pay with the {} there.", "Its money is the {}."),
    ("Its people are called {}.", "Someone from there is {}."),
)


def draw_country_clues(rng: Random) -> str:
    """Two or three clues to one country."""
    row = COUNTRIES[rng.choice(sorted(COUNTRIES))]
    picks = rng.sample(range(5), rng.choice((2, 3)))
    if 0 not in picks and 4 not in picks:
        picks[0] = rng.choice((0, 4))
    return " ".join(rng.choice(CLUES[i]).format(row[i]) for i in picks)


def countries_of(clues: str, slots: Mapping[str, str]) -> list[str] | None:
    """All countries that every clue fits."""
    fitting, known = set(COUNTRIES), 0
    for column, forms in enumerate(CLUES):
        for form in forms:
            match = re.search(re.escape(form).replace(r"\{\}", "([A-Za-z ]+?)"), clues)
            if match:
                known += 1
                said = match[1].strip().lower()
                fitting &= {c for c, row in COUNTRIES.items() if row[column].lower() == said}
    return sorted(fitting) if known and fitting else None


KINDS: list[Kind] = [
    Kind("capital", "World Knowledge",
         "In this task you are given the name of a country. Your task is to write the name of the city that is its "
         "capital.",
         *lookup({c: row[0] for c, row in PLACES.items()}),
         ("[Name|Write] the capital [city|] of the country.", "What is the capital?",
          "In which city does the [country's|] government sit?", "Geography quiz: country given, capital wanted.",
          "[Find|Give] the most important city, the capital.",
          "Our class learns capitals. [Answer|Help us] for this country.",
          "You read a country; [answer|reply] with its capital city.",
          "Where would an ambassador to this country live?",
          "[Please|] tell me which city is the capital here.", "Which city is the seat of the government?",
          "Match the country with its capital.",
          "I am visiting this country and want to see its capital. Where must I travel?"),
         ("What is the capital of {input}?", "Name the capital city of {input}.",
          "Which city is the capital of {input}?", "In {input}, where does the government sit?")),
    Kind("country_of_capital", "World Knowledge",
         "You are given the name of a capital city. Your task is to write which country it is the capital of.",
         *lookup({row[0]: c for c, row in PLACES.items()}),
         ("[Name|Write] the country whose capital this is.", "Which country does the city [belong to|govern]?",
          "This city is a capital, but of what country?", "In which country [is|lies] this city?",
          "My plane lands in this city. What country am I in?", "You read a capital; [answer|reply] with the country.",
          "[Please|] find the country for the city.", "Match the capital with its country.",
          "Geography the other way round: from city to country.",
          "A postcard came from this city. Which country was it sent from?", "Of which land is this the chief city?",
          "Tell us the state that is governed from here."),
         ("Which country has {input} as its capital?", "{input} is the capital of which country?",
          "In what country is {input}?", "My friend lives in {input}. Which country is that?")),
    Kind("continent", "Classification",
         "In this task you are given the name of a country. Classify it by the part of the world: Africa, Asia, "
         "Europe, North America, South America or Oceania.",
         *lookup({c: row[1] for c, row in PLACES.items()}),
         ("[Which|What] continent is the country [in|on]?", "[Name|Write] the continent of this country.",
          "On which continent does the country lie?", "[Sort|Classify] the country by continent.",
          "Africa, Asia, Europe, North America, South America or Oceania: where is it?",
          "In which part of the world do you find this country?", "You read a country; answer with its continent.",
          "[Please|] say what continent it belongs to.",
          "We group countries by continent. Where does this one go?",
          "I want to find this country on a globe. Which continent should I look at?",
          "Choose the right continent for the country.", "Label the country with its continent."),
         ("On which continent is {input}?", "What continent does {input} belong to?",
          "Is {input} in Africa, Asia, Europe, North America, South America or Oceania?",
          "Name the continent where {input} lies."),
         labels=CONTINENTS),
    Kind("fact_of_country", "World Knowledge",
         "You are given what is asked, such as capital or currency, and the name of a country. Your task is to write "
         "this fact about the country.",
         *by_rule(draw_country_fact, country_fact),
         ("What is the {attribute} of the country {country}?",
          "[Name|Give] the {attribute} that the country {country} has.",
          "Tell me about {country}: what is its {attribute}?",
          "I am writing about {country} and still need the {attribute}.",
          "Do you know the {attribute} that belongs to {country}?",
          "[Fill in|Complete] the {attribute} on the page for {country}.",
          "A tourist in {country} asks about the {attribute}. Answer [him|her].",
          "Country: {country}. Wanted: the {attribute}.",
          "In the table of countries, {country} has an empty cell for its {attribute}. Fill it.",
          "[Please|] look up the {attribute} for {country}.",
          "My homework is about {country}. Which {attribute} should I write down?",
          "Say which {attribute} goes with {country}.")),
    Kind("guess_country", "World Knowledge",
         "In this task you are given some clues about a country. Your task is to find which country is meant and "
         "write its name.",
         *by_rule(draw_country_clues, countries_of),
         ("[Guess|Find] the country from the clues.", "Which country is [described|meant]?",
          "[Name|Write] the country.", "A country riddle: read and solve it.", "What country do these facts belong to?",
          "I am thinking of a country. Guess it.", "[Please|] work out the country.",
          "Where on earth is this? Name the land.", "From the hints, [say|decide] which country it is.",
          "Quiz night: identify the country described.",
          "The clues fit one country. Which?", "A traveller tells about a land without naming it. Where was she?"),
         ("Which country is it? {input}", "{input} Which country is meant?", "Guess the country: {input}",
          "{input} Name that country.")),
    Kind("continent_of_capital", "World Knowledge",
         "In this task you are given a capital city. Your task is to write the continent where its country lies: "
         "Africa, Asia, Europe, North America, South America or Oceania.",
         *lookup({row[0]: row[1] for row in PLACES.values()}), labels=CONTINENTS, far=True),
]  # fmt: skip

PROSE: list[Prose] = [
    teller([(c, row[0], row[1]) for c, row in PLACES.items()], ("The capital of {0} is {1}.",
    "{1} is the capital of {0}, in {2}.", "{0} is a country in {2}; its capital is {1}.", "{0} lies in {2}.",
    "The government of {0} sits in {1}.", "{1} is a city in {2}.")),
    teller([(c, *row) for c, row in COUNTRIES.items()], ("In {0} people speak {3}.", "In {0} you pay with the {4}.",
    "Someone from {0} is {5}.", "The currency of {0} is the {4}, and its language is {3}.",
    "{0}: capital {1}, continent {2}, language {3}.", "The nationality of a person from {0} is {5}.")),
]  # fmt: skip
