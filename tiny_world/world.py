"""The little world: what is true in it. Tables that several kinds of task share; no task and no wording here.

The facts are those of our own world, kept to a size that a model of a few million parameters can learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Animal:
    name: str
    group: str  # mammal, bird, fish, insect, reptile
    habitat: str
    diet: str  # plants, meat, both
    covering: str
    legs: int
    size: str  # small, medium, large
    young: str = ""


def _animals(text: str) -> dict[str, Animal]:
    rows = [line.split(",") for line in text.strip().splitlines()]
    return {r[0]: Animal(r[0], r[1], r[2], r[3], r[4], int(r[5]), r[6], r[7]) for r in rows}


ANIMALS = _animals("""
dog,mammal,house,both,fur,4,medium,puppy
cat,mammal,house,meat,fur,4,small,kitten
horse,mammal,farm,plants,hair,4,large,foal
cow,mammal,farm,plants,hair,4,large,calf
sheep,mammal,farm,plants,wool,4,medium,lamb
goat,mammal,farm,plants,hair,4,medium,kid
pig,mammal,farm,both,skin,4,medium,piglet
donkey,mammal,farm,plants,hair,4,large,foal
hen,bird,farm,both,feathers,2,small,chick
duck,bird,pond,both,feathers,2,small,duckling
goose,bird,pond,plants,feathers,2,medium,gosling
swan,bird,lake,plants,feathers,2,medium,cygnet
turkey,bird,farm,both,feathers,2,medium,poult
lion,mammal,savanna,meat,fur,4,large,cub
tiger,mammal,jungle,meat,fur,4,large,cub
elephant,mammal,savanna,plants,skin,4,large,calf
giraffe,mammal,savanna,plants,hair,4,large,calf
zebra,mammal,savanna,plants,hair,4,large,foal
monkey,mammal,jungle,both,fur,2,medium,infant
gorilla,mammal,jungle,plants,fur,2,large,infant
parrot,bird,jungle,plants,feathers,2,small,chick
snake,reptile,desert,meat,scales,0,medium,snakelet
lizard,reptile,desert,both,scales,4,small,hatchling
crocodile,reptile,river,meat,scales,4,large,hatchling
turtle,reptile,sea,both,shell,4,medium,hatchling
tortoise,reptile,desert,plants,shell,4,medium,hatchling
camel,mammal,desert,plants,hair,4,large,calf
bear,mammal,forest,both,fur,4,large,cub
wolf,mammal,forest,meat,fur,4,medium,pup
fox,mammal,forest,both,fur,4,medium,cub
deer,mammal,forest,plants,hair,4,large,fawn
rabbit,mammal,meadow,plants,fur,4,small,bunny
hare,mammal,meadow,plants,fur,4,small,leveret
squirrel,mammal,forest,plants,fur,4,small,kit
hedgehog,mammal,garden,both,spines,4,small,hoglet
mouse,mammal,house,both,fur,4,small,pup
rat,mammal,city,both,fur,4,small,pup
bat,mammal,cave,both,fur,2,small,pup
owl,bird,forest,meat,feathers,2,small,owlet
eagle,bird,mountains,meat,feathers,2,medium,eaglet
crow,bird,city,both,feathers,2,small,chick
pigeon,bird,city,plants,feathers,2,small,squab
sparrow,bird,garden,both,feathers,2,small,chick
robin,bird,garden,both,feathers,2,small,chick
penguin,bird,ice,meat,feathers,2,medium,chick
seal,mammal,ice,meat,fur,0,large,pup
polar bear,mammal,ice,meat,fur,4,large,cub
whale,mammal,sea,meat,skin,0,large,calf
dolphin,mammal,sea,meat,skin,0,large,calf
shark,fish,sea,meat,scales,0,large,pup
tuna,fish,sea,meat,scales,0,large,fry
salmon,fish,river,meat,scales,0,medium,fry
trout,fish,river,meat,scales,0,small,fry
goldfish,fish,pond,both,scales,0,small,fry
frog,amphibian,pond,meat,skin,4,small,tadpole
toad,amphibian,garden,meat,skin,4,small,tadpole
bee,insect,meadow,plants,hair,6,small,larva
ant,insect,garden,both,shell,6,small,larva
butterfly,insect,meadow,plants,scales,6,small,caterpillar
fly,insect,house,both,hair,6,small,maggot
beetle,insect,forest,both,shell,6,small,grub
spider,arachnid,cave,meat,hair,8,small,spiderling
kangaroo,mammal,grassland,plants,fur,2,large,joey
otter,mammal,river,meat,fur,4,medium,pup
beaver,mammal,river,plants,fur,4,medium,kit
""")

# country: (capital, continent, language, currency, nationality)
COUNTRIES: dict[str, tuple[str, str, str, str, str]] = {
    r[0]: (r[1], r[2], r[3], r[4], r[5])
    for r in (
        line.split(",")
        for line in """
France,Paris,Europe,French,euro,French
Spain,Madrid,Europe,Spanish,euro,Spanish
Italy,Rome,Europe,Italian,euro,Italian
Germany,Berlin,Europe,German,euro,German
Austria,Vienna,Europe,German,euro,Austrian
Portugal,Lisbon,Europe,Portuguese,euro,Portuguese
Greece,Athens,Europe,Greek,euro,Greek
Ireland,Dublin,Europe,English,euro,Irish
Finland,Helsinki,Europe,Finnish,euro,Finnish
Sweden,Stockholm,Europe,Swedish,krona,Swedish
Norway,Oslo,Europe,Norwegian,krone,Norwegian
Denmark,Copenhagen,Europe,Danish,krone,Danish
Poland,Warsaw,Europe,Polish,zloty,Polish
Hungary,Budapest,Europe,Hungarian,forint,Hungarian
Turkey,Ankara,Asia,Turkish,lira,Turkish
Russia,Moscow,Europe,Russian,ruble,Russian
Ukraine,Kyiv,Europe,Ukrainian,hryvnia,Ukrainian
England,London,Europe,English,pound,English
Iceland,Reykjavik,Europe,Icelandic,krona,Icelandic
Egypt,Cairo,Africa,Arabic,pound,Egyptian
Morocco,Rabat,Africa,Arabic,dirham,Moroccan
Kenya,Nairobi,Africa,Swahili,shilling,Kenyan
Ghana,Accra,Africa,English,cedi,Ghanaian
Senegal,Dakar,Africa,French,franc,Senegalese
Ethiopia,Addis Ababa,Africa,Amharic,birr,Ethiopian
China,Beijing,Asia,Chinese,yuan,Chinese
Japan,Tokyo,Asia,Japanese,yen,Japanese
India,New Delhi,Asia,Hindi,rupee,Indian
Thailand,Bangkok,Asia,Thai,baht,Thai
Vietnam,Hanoi,Asia,Vietnamese,dong,Vietnamese
Iran,Tehran,Asia,Persian,rial,Iranian
Iraq,Baghdad,Asia,Arabic,dinar,Iraqi
Canada,Ottawa,North America,English,dollar,Canadian
Mexico,Mexico City,North America,Spanish,peso,Mexican
Cuba,Havana,North America,Spanish,peso,Cuban
Brazil,Brasilia,South America,Portuguese,real,Brazilian
Peru,Lima,South America,Spanish,sol,Peruvian
Chile,Santiago,South America,Spanish,peso,Chilean
Colombia,Bogota,South America,Spanish,peso,Colombian
Argentina,Buenos Aires,South America,Spanish,peso,Argentine
Australia,Canberra,Oceania,English,dollar,Australian
""".strip().splitlines()
    )
}

# food: (group, colour, taste)
FOODS: dict[str, tuple[str, str, str]] = {
    r[0]: (r[1], r[2], r[3])
    for r in (
        line.split(",")
        for line in """
apple,fruit,red,sweet
banana,fruit,yellow,sweet
lemon,fruit,yellow,sour
orange,fruit,orange,sweet
cherry,fruit,red,sweet
strawberry,fruit,red,sweet
plum,fruit,purple,sweet
grape,fruit,green,sweet
pear,fruit,green,sweet
lime,fruit,green,sour
melon,fruit,green,sweet
peach,fruit,orange,sweet
blueberry,fruit,blue,sweet
carrot,vegetable,orange,sweet
potato,vegetable,brown,mild
onion,vegetable,white,sharp
tomato,vegetable,red,mild
cucumber,vegetable,green,mild
spinach,vegetable,green,bitter
cabbage,vegetable,green,mild
pea,vegetable,green,sweet
bean,vegetable,green,mild
pumpkin,vegetable,orange,sweet
radish,vegetable,red,sharp
garlic,vegetable,white,sharp
pepper,vegetable,red,sharp
rice,grain,white,mild
bread,grain,brown,mild
pasta,grain,yellow,mild
oats,grain,brown,mild
corn,grain,yellow,sweet
milk,dairy,white,mild
cheese,dairy,yellow,salty
butter,dairy,yellow,mild
yogurt,dairy,white,sour
cream,dairy,white,mild
beef,meat,red,salty
ham,meat,pink,salty
chicken,meat,white,mild
sausage,meat,brown,salty
cake,sweet,brown,sweet
cookie,sweet,brown,sweet
honey,sweet,yellow,sweet
jam,sweet,red,sweet
chocolate,sweet,brown,sweet
tea,drink,brown,bitter
coffee,drink,black,bitter
water,drink,clear,mild
juice,drink,orange,sweet
""".strip().splitlines()
    )
}

# job: (workplace, tool, what they do)
JOBS: dict[str, tuple[str, str, str]] = {
    r[0]: (r[1], r[2], r[3])
    for r in (
        line.split(",")
        for line in """
doctor,hospital,stethoscope,treats sick people
nurse,hospital,thermometer,cares for patients
teacher,school,chalk,teaches children
farmer,farm,tractor,grows food
baker,bakery,oven,bakes bread
cook,kitchen,pan,makes meals
waiter,restaurant,tray,serves guests
barber,barber shop,scissors,cuts hair
carpenter,workshop,saw,builds with wood
plumber,house,wrench,repairs pipes
painter,studio,brush,paints walls and canvases
gardener,garden,rake,looks after plants
firefighter,fire station,hose,puts out fires
police officer,police station,badge,keeps people safe
pilot,airport,plane,flies people around the world
sailor,ship,rope,works at sea
fisherman,harbour,net,catches fish
driver,road,bus,drives passengers
mechanic,garage,spanner,repairs cars
librarian,library,catalogue,lends books
scientist,laboratory,microscope,does experiments
dentist,clinic,drill,looks after teeth
vet,clinic,bandage,treats sick animals
judge,court,hammer,decides cases
lawyer,court,law book,advises people about the law
writer,desk,pen,writes books
reporter,newspaper,notebook,writes the news
singer,stage,microphone,sings songs
dancer,theatre,shoes,dances for the public
actor,theatre,script,plays roles
photographer,studio,camera,takes photos
tailor,shop,needle,sews clothes
butcher,shop,knife,sells meat
cashier,supermarket,till,takes payments
builder,building site,crane,builds houses
miner,mine,pickaxe,digs for coal
astronaut,space station,rocket,explores space
postman,post office,bicycle,delivers letters
cleaner,office,broom,keeps rooms clean
secretary,office,keyboard,writes letters and plans meetings
""".strip().splitlines()
    )
}

# thing: (material, room, use)
THINGS: dict[str, tuple[str, str, str]] = {
    r[0]: (r[1], r[2], r[3])
    for r in (
        line.split(",")
        for line in """
table,wood,kitchen,to eat at
chair,wood,kitchen,to sit on
spoon,metal,kitchen,to eat soup
fork,metal,kitchen,to eat food
knife,metal,kitchen,to cut food
plate,china,kitchen,to put food on
cup,china,kitchen,to drink from
glass,glass,kitchen,to drink water
pot,metal,kitchen,to boil soup
kettle,metal,kitchen,to heat water
fridge,metal,kitchen,to keep food cold
bed,wood,bedroom,to sleep in
pillow,cotton,bedroom,to rest your head on
blanket,wool,bedroom,to keep warm
wardrobe,wood,bedroom,to store clothes
mirror,glass,bathroom,to see yourself
towel,cotton,bathroom,to dry yourself
soap,fat,bathroom,to wash your hands
toothbrush,plastic,bathroom,to clean your teeth
bucket,plastic,bathroom,to carry water
sofa,leather,living room,to sit with friends
lamp,metal,living room,to give light
carpet,wool,living room,to cover the floor
curtain,cotton,living room,to cover the window
clock,metal,living room,to tell the time
vase,glass,living room,to hold flowers
book,paper,study,to read
pencil,wood,study,to write and draw
letter,paper,study,to send news
ruler,plastic,study,to measure lines
hammer,metal,garage,to hit nails
ladder,metal,garage,to reach high places
tyre,rubber,garage,to roll on the road
rope,hemp,garage,to tie things
spade,metal,shed,to dig holes
umbrella,cotton,hall,to stay dry in the rain
key,metal,hall,to open doors
coat,wool,hall,to stay warm outside
boot,leather,hall,to walk in mud
ball,rubber,garden,to play games
""".strip().splitlines()
    )
}

WOMEN = ["Anna", "Maria", "Lucy", "Emma", "Nora", "Sara", "Alice", "Clara", "Eva", "Julia", "Lena", "Mia", "Olga", "Rosa", "Tina", "Vera", "Zoe", "Ida", "Ruth", "Jane", "Kate", "Laura", "Helen", "Diana", "Amy"]  # fmt: skip
MEN = ["Tom", "Peter", "Paul", "John", "David", "Omar", "Leo", "Max", "Ben", "Sam", "Hugo", "Ivan", "Karl", "Luis", "Marco", "Noah", "Oscar", "Ray", "Simon", "Theo", "Victor", "Adam", "Felix", "George", "Henry"]  # fmt: skip
PEOPLE = (*WOMEN, *MEN)
COLOURS = ["red", "blue", "green", "yellow", "black", "white", "brown", "orange", "purple", "pink", "grey"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
SEASONS = {"spring": "March April May", "summer": "June July August", "autumn": "September October November",
           "winter": "December January February"}  # fmt: skip
TOWN_PLACES = ["park", "market", "library", "museum", "station", "school", "beach", "cinema", "bakery", "zoo", "hospital", "harbour", "church", "castle", "restaurant", "garden", "theatre", "bridge", "square", "farm"]  # fmt: skip
NUMBER_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"]  # fmt: skip
FEELINGS = [
    "happy",
    "sad",
    "angry",
    "tired",
    "afraid",
    "proud",
    "surprised",
    "bored",
    "excited",
    "calm",
    "lonely",
    "curious",
]
SPORTS = ["football", "tennis", "swimming", "running", "basketball", "cycling", "skiing", "rowing", "hockey", "chess"]
INSTRUMENTS = ["piano", "guitar", "violin", "drum", "flute", "trumpet", "harp", "cello"]
VEHICLES = {"car": "road", "bus": "road", "bicycle": "road", "truck": "road", "motorbike": "road", "train": "rails",
            "tram": "rails", "boat": "water", "ship": "water", "ferry": "water", "canoe": "water", "plane": "air",
            "helicopter": "air", "balloon": "air"}  # fmt: skip


def pronoun(name: str) -> str:
    """she or he, for a person of this world."""
    return "she" if name in WOMEN else "he"


def article(noun: str) -> str:
    """The noun with a or an."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def join(words: list[str] | tuple[str, ...]) -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def people(rng: Random, count: int) -> list[str]:
    """Different people."""
    return rng.sample(PEOPLE, count)
