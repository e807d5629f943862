"""Kinds on animals: their group, food, home, young and covering, and riddles about an animal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from random import Random

from tiny_world.kind import Example, Kind, by_rule, lookup
from tiny_world.kinds.words import Prose, teller
from tiny_world.world import ANIMALS, Animal, article

_MORE_ANIMALS = """leopard,mammal,jungle,meat,fur,4,large,cub/cheetah,mammal,savanna,meat,fur,4,large,cub
hippo,mammal,river,plants,skin,4,large,calf/rhino,mammal,savanna,plants,skin,4,large,calf
buffalo,mammal,savanna,plants,hair,4,large,calf
antelope,mammal,savanna,plants,hair,4,large,calf/hyena,mammal,savanna,meat,fur,4,medium,cub
chimpanzee,mammal,jungle,both,hair,2,medium,infant
badger,mammal,forest,both,fur,4,medium,cub/mole,mammal,garden,meat,fur,4,small,pup
hamster,mammal,house,both,fur,4,small,pup
moose,mammal,forest,plants,hair,4,large,calf/reindeer,mammal,ice,plants,hair,4,large,calf
walrus,mammal,ice,meat,skin,0,large,calf
koala,mammal,forest,plants,fur,4,medium,joey/panda,mammal,forest,plants,fur,4,large,cub
llama,mammal,mountains,plants,wool,4,large,cria
yak,mammal,mountains,plants,hair,4,large,calf/ostrich,bird,savanna,plants,feathers,2,large,chick
peacock,bird,garden,both,feathers,2,medium,peachick
stork,bird,meadow,meat,feathers,2,medium,chick/gull,bird,sea,both,feathers,2,small,chick
pelican,bird,lake,meat,feathers,2,medium,chick
flamingo,bird,lake,both,feathers,2,medium,chick/woodpecker,bird,forest,both,feathers,2,small,chick
swallow,bird,farm,meat,feathers,2,small,chick
vulture,bird,mountains,meat,feathers,2,medium,chick/hawk,bird,mountains,meat,feathers,2,medium,eyas
falcon,bird,mountains,meat,feathers,2,medium,eyas
cod,fish,sea,meat,scales,0,medium,fry/herring,fish,sea,meat,scales,0,small,fry/carp,fish,pond,both,scales,0,medium,fry
pike,fish,river,meat,scales,0,medium,fry/alligator,reptile,river,meat,scales,4,large,hatchling
iguana,reptile,jungle,plants,scales,4,medium,hatchling
newt,amphibian,pond,meat,skin,4,small,tadpole/wasp,insect,garden,both,shell,6,small,larva
moth,insect,forest,plants,scales,6,small,caterpillar
grasshopper,insect,meadow,plants,shell,6,small,nymph/ladybird,insect,garden,meat,shell,6,small,larva
scorpion,arachnid,desert,meat,shell,8,small,scorpling"""
BEASTS: dict[str, Animal] = dict(ANIMALS)
for _row in _MORE_ANIMALS.replace("\n", "/").split("/"):
    _f = _row.split(",")
    BEASTS[_f[0]] = Animal(_f[0], _f[1], _f[2], _f[3], _f[4], int(_f[5]), _f[6], _f[7])
FOOD_OF = {"plants": "plants", "meat": "meat", "both": "both plants and meat"}
WHERE = {"house": "in the house", "farm": "on the farm", "pond": "in the pond", "lake": "on the lake",
"savanna": "on the savanna",
         "jungle": "in the jungle", "desert": "in the desert", "river": "in the river", "sea": "in the sea",
         "forest": "in the forest",
         "meadow": "in the meadow", "garden": "in the garden", "city": "in the city", "cave": "in the cave",
         "mountains": "in the mountains", "ice": "on the ice", "grassland": "on the grassland"}  # fmt: skip
FACTS = (
    "where it lives",
    "what it eats",
    "what covers its body",
    "how many legs it has",
    "what its young is called",
    "what group it belongs to",
)


def draw_animal_fact(rng: Random) -> Example:
    """An animal and what is asked about it."""
    return Example("", "", {"animal": rng.choice(sorted(BEASTS)), "question": rng.choice(FACTS)})


def animal_fact(input: str, slots: Mapping[str, str]) -> list[str] | None:
    """The answer about the animal."""
    beast = BEASTS.get(re.sub(r"^(a|an|the) ", "", slots.get("animal", "").lower()))
    question = slots.get("question", "").lower()
    if not beast or question not in FACTS:
        return None
    answers = (
        [WHERE[beast.habitat], beast.habitat, f"the {beast.habitat}"],
        [FOOD_OF[beast.diet], beast.diet],
        [beast.covering],
        [str(beast.legs)],
        [beast.young, article(beast.young)],
        [beast.group, f"{beast.group}s"],
    )
    return answers[FACTS.index(question)]


def draw_animal_clues(rng: Random) -> str:
    """A riddle about an animal."""
    beast = BEASTS[rng.choice(sorted(BEASTS))]
    clues = (
        f"It is {article(beast.group)}.",
        f"It lives {WHERE[beast.habitat]}.",
        f"It eats {FOOD_OF[beast.diet]}.",
        f"It has {beast.legs or 'no'} legs.",
        f"Its body is covered with {beast.covering}.",
        f"Its young is called {article(beast.young)}.",
    )
    return " ".join(rng.sample(clues, rng.choice((2, 3, 4))))


CLUE_OF: dict[str, Callable[[Animal], str]] = {
    r"It is an? (\w+)\.": lambda b: b.group,
    r"It lives ([\w ]+)\.": lambda b: WHERE[b.habitat],
    r"It eats ([\w ]+)\.": lambda b: FOOD_OF[b.diet],
    r"It has (\w+) legs\.": lambda b: str(b.legs or "no"),
    r"Its body is covered with (\w+)\.": lambda b: b.covering,
    r"Its young is called an? (\w+)\.": lambda b: b.young,
}


def animals_of(clues: str, slots: Mapping[str, str]) -> list[str] | None:
    """All animals that the riddle fits."""
    said = [(m[1], of) for pattern, of in CLUE_OF.items() if (m := re.search(pattern, clues))]
    fitting = [n for n, b in BEASTS.items() if all(of(b) == value for value, of in said)]
    return [name for n in fitting for name in (n, article(n), f"the {n}")] if said and fitting else None


KINDS: list[Kind] = [
    Kind("animal_group", "Classification",
         "In this task you are given an animal. Classify it as mammal, bird, fish, reptile, amphibian, insect or "
         "arachnid.",
         *lookup({n: b.group for n, b in BEASTS.items()}),
         ("[Which|What] group of animals does it belong to?", "[Classify|Label] the animal.",
          "Is it a mammal, bird, fish, reptile, amphibian, insect or arachnid?",
          "What kind of animal is this, for a biologist?", "[Name|Write] the animal's class.",
          "[Sort|Put] the animal into mammals, birds, fish, reptiles, amphibians, insects or arachnids.",
          "In the zoo guide each animal has its group. Add it here.",
          "Under what heading of the animal kingdom does it fall?",
          "[Please|] give the group: mammal, bird and so on.", "Tell a pupil which class this creature is in.",
          "A museum labels its animals by class. Write this label.",
          "You read an animal; answer with mammal, bird, fish, or what it is."),
         ("Is the {input} a mammal, bird, fish, reptile, amphibian, insect or arachnid?",
          "What group does the {input} belong to?", "Classify the animal {input}.",
          "Which class of animals includes the {input}?"),
         labels=("mammal", "bird", "fish", "reptile", "amphibian", "insect", "arachnid")),
    Kind("animal_diet", "Classification",
         "You are given an animal. Decide by what it eats and answer with one of: plants, meat, both.",
         *lookup({n: b.diet for n, b in BEASTS.items()}),
         ("[Does|Will] the animal eat plants, meat or both?", "What does the animal eat: plants, meat, both?",
          "[Decide|Say] whether it feeds on plants, on meat or on both.",
          "A zoo keeper asks about the food of this animal. Choose plants, meat or both.",
          "[Name|Give] the diet of the animal.", "[Please|] sort animals by their food, this one first.",
          "Plant eater, meat eater or eater of both? Write plants, meat or both.",
          "What should I feed it? Answer plants, meat or both.",
          "Judge the diet of this creature.", "Herbivores: plants. Carnivores: meat. Omnivores: both. And this one?",
          "Which food does it live on?", "Sort the animal according to its meals."),
         ("Does the {input} eat plants, meat or both?", "What is the diet of the {input}?",
          "What does the {input} feed on: plants, meat or both?", "Which food suits the {input}?"),
         labels=("plants", "meat", "both")),
    Kind("animal_home", "World Knowledge",
         "In this task you are given an animal. Your task is to write the place where it lives, its habitat, in a "
         "word or two.",
         *lookup({n: [b.habitat, f"the {b.habitat}", WHERE[b.habitat]] for n, b in BEASTS.items()}),
         ("Where does the animal live?", "[Name|Write] the habitat of the animal.",
          "In what surroundings is it at home?", "Where would you look for this animal?",
          "[Give|State] the place where it [usually|] lives.", "You read an animal; answer with its home.",
          "A photographer wants to meet this animal. Where should she wait?",
          "Forest, sea, desert, farm? Say where it belongs.", "[Please|] tell us its natural home.",
          "Match the animal with the place it lives in.", "Which place is the home of this creature?",
          "A film about it would be shot where?"),
         ("Where does the {input} live?", "What is the habitat of the {input}?",
          "Name the place where you find the {input}.", "What is home for the {input}?")),
    Kind("animal_young", "World Knowledge",
         "You are given an animal. Your task is to write the special word for its young, the name of the baby animal.",
         *lookup({n: [b.young, article(b.young)] for n, b in BEASTS.items()}),
         ("[Name|Write] the young of the animal.", "What is its baby called?",
          "[Give|Find] the word for the baby animal.", "The mother is named; what do we call her little one?",
          "A dog has a puppy. What has this animal?",
          "What word is used for the offspring?", "[Please|] tell the children the name of the baby.",
          "You read a grown animal; answer with its young.", "When it was small, what was it called?",
          "In spring this animal has little ones. Name one of them.",
          "Match the parent with its baby.", "Which special name does the newborn have?"),
         ("What is a young {input} called?", "What do you call the baby of the {input}?",
          "Name the young of the {input}.", "The child of the {input} is a what?")),
    Kind("animal_covering", "World Knowledge",
         "In this task you are given an animal. Your task is to write what covers its body, such as fur, feathers or "
         "scales.",
         *lookup({n: b.covering for n, b in BEASTS.items()}),
         ("What covers the body of the animal?", "[Name|Write] its body covering.",
          "Fur, feathers, scales, skin or something else? Say what it has.",
          "What would you feel if you touched [its back|it]?", "[Give|State] what the animal wears on the outside.",
          "You read an animal; answer with fur, feathers or the like.", "[Please|] say what its coat is made of.",
          "With what is it dressed by nature?", "A toy maker needs to know what to put on the outside of this animal.",
          "What keeps its body protected?", "Match the animal with its covering.",
          "Is it hairy, feathered or scaly? Name the covering."),
         ("What is the body of the {input} covered with?",
          "Does the {input} have fur, feathers, scales or something else?", "Name the covering of the {input}.",
          "What do you touch when you stroke the {input}?")),
    Kind("animal_fact", "World Knowledge",
         "You are given the name of an animal and what is asked about it. Your task is to write this fact about the "
         "animal.",
         *by_rule(draw_animal_fact, animal_fact),
         ("There is an animal called the {animal}. [Say|Write|Tell me] {question}.",
          "Think of the {animal} and say {question}.",
          "I would like to know about the {animal} and {question}.",
          "The animal is the {animal}. Do you know {question}?",
          "My [son|daughter] asks about the {animal} and wants to hear {question}.",
          "For a page on the {animal}, note {question}.",
          "If we speak of the {animal} as an animal, {question} is the question. [Answer it|Your answer], please.",
          "[Please|] find out about the animal {animal}: I must know {question}.",
          "In my animal book, the {animal} has a page. Add {question}.",
          "A visitor at the zoo sees the {animal} and asks {question}. Answer.",
          "The {animal} is my favourite animal, but I forgot {question}.",
          "Choose a fact about the {animal}, namely {question}.")),
    Kind("guess_animal", "World Knowledge",
         "In this task you are given clues about an animal. Find an animal that all the clues fit and write its name.",
         *by_rule(draw_animal_clues, animals_of),
         ("[Guess|Find] the animal.", "Which animal fits the clues?", "[Name|Write] an animal that is like this.",
          "An animal riddle: what is it?", "[Please|] solve the riddle about a creature.",
          "I am thinking of an animal. Which could it be?",
          "From the description, say what animal it may be.", "What creature is described here?",
          "Read the hints and name a fitting animal.", "Who am I in the animal world?",
          "The children describe a beast. Give one that matches everything.", "Identify an animal by its features."),
         ("Which animal is it? {input}", "{input} What animal could it be?", "Guess the animal: {input}",
          "{input} Name such an animal.")),
]  # fmt: skip

PROSE: list[Prose] = [
    teller([(n, article(n), article(b.group), WHERE[b.habitat], FOOD_OF[b.diet], b.covering, str(b.legs or "no"),
             article(b.young)) for n, b in BEASTS.items()],
           ("The {0} is {2} and lives {3}.", "The {0} eats {4}.", "The body of the {0} is covered with {5}.",
            "The {0} has {6} legs.", "The young of the {0} is called {7}.", "{1} is {2}; it eats {4}.",
            "You find the {0} {3}.", "{7} is a young {0}.", "The {0} has {5} and {6} legs, and it lives {3}.")),
]  # fmt: skip
