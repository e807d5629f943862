"""Kinds on what words mean to one another: opposites, synonyms, rhymes, categories, and their translations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from tiny_world.kind import Kind, by_rule, lookup, normalize
from tiny_world.world import ANIMALS, COLOURS, COUNTRIES, FOODS, INSTRUMENTS, JOBS, SPORTS, VEHICLES

Prose = Callable[[Random], str]


def pairs(text: str) -> list[tuple[str, str]]:
    """Read 'hot cold, big small' (a word of several parts has its spaces as underscores)."""
    rows = [row.split() for row in text.replace("\n", " ").split(",") if row.strip()]
    return [(a.replace("_", " "), b.replace("_", " ")) for a, b in rows]


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


def rows_of(text: str) -> list[list[str]]:
    """Read rows of words that slashes divide."""
    return [words(row) for row in text.split("/")]


def both_ways(rows: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Look up either word of a pair from the other."""
    table: dict[str, list[str]] = {}
    for a, b in rows:
        table.setdefault(a, []).append(b)
        table.setdefault(b, []).append(a)
    return table


def teller(rows: Sequence[tuple[str, ...]], forms: Sequence[str], low: int = 3, high: int = 6) -> Prose:
    """Make a writer of prose that states a few rows of a table, each in one of the sentence forms."""

    def write(rng: Random) -> str:
        said = (rng.choice(forms).format(*row) for row in rng.sample(rows, rng.randint(low, high)))
        return " ".join(s[:1].upper() + s[1:] for s in said)

    return write


OPPOSITE_PAIRS = pairs("""hot cold, big small, tall short, long short, fast slow, old young, old new, happy sad, light
dark,
light heavy, hard soft, hard easy, early late, rich poor, clean dirty, wet dry, open closed, full empty, strong weak,
loud quiet, thick thin, wide narrow, high low, deep shallow, near far, left right, right wrong, up down, in out, on off,
day night, black white, good bad, true false, first last, begin end, start stop, push pull, buy sell, give take,
come go, love hate, win lose, laugh cry, remember forget, ask answer, find lose, north south, east west, summer winter,
brave cowardly, kind cruel, polite rude, noisy silent, sweet sour, sharp blunt, smooth rough, tight loose, safe
dangerous,
cheap expensive, asleep awake, alive dead, friend enemy, war peace, inside outside, above below, front back, top bottom,
always never, more less, many few, before after, beautiful ugly, fat thin, raw cooked, calm excited, simple difficult,
lend borrow, arrive leave, rise fall, question answer, entrance exit, question reply, success failure, same
different""")
SYNONYM_PAIRS = pairs("""big large, small little, happy glad, sad unhappy, fast quick, angry mad, begin start, end
finish,
quiet silent, smart clever, brave bold, rich wealthy, sick ill, tired sleepy, hard difficult, easy simple, right
correct,
wrong incorrect, shut close, talk speak, shout yell, look see, jump leap, cry weep, gift present, shop store, street
road,
stone rock, boat ship, kid child, doctor physician, picture photo, house home, woods forest, sea ocean, job work,
funny amusing, pretty beautiful, nice pleasant, scared afraid, strange odd, thin slim, wet damp, cold chilly, hot
burning,
loud noisy, rude impolite, calm peaceful, kind gentle, dangerous unsafe, tasty delicious, hurry rush, help assist, buy
purchase,
choose pick, fix repair, build construct, answer reply, hide conceal, allow permit, need require, receive get, throw
toss,
autumn fall, error mistake, mother mum, father dad, whole entire, fake false, empty vacant, ancient old, modern new,
huge giant, tiny minute, neat tidy, trip journey, garbage rubbish""")
RHYMES = rows_of("""cat hat bat mat rat / dog log fog frog jog / sun run fun bun gun / day play say way
may / light night right fight bright / moon spoon soon noon / tree bee see free knee / house mouse blouse / ring sing
king wing spring / ball tall wall fall call / cake lake snake make bake / rain train pain brain chain / book cook look
hook / boat coat goat float / red bed head bread / bell tell well shell smell / star car far jar / nose rose toes
close / ice mice rice nice price / fish dish wish / ten pen men hen / hill pill fill bill / blue shoe two zoo glue /
sand hand land band / king thing string / four door floor more / bear chair hair pear / duck truck luck / snow grow
slow low / sock clock rock lock / ice twice dice""")
RHYME_OF: dict[str, list[str]] = {}
for _group in RHYMES:
    for _word in _group:
        RHYME_OF.setdefault(_word, []).extend(w for w in _group if w != _word)

WORDS_OF_CATEGORY: dict[str, list[str]] = {
    "animal": sorted(ANIMALS),
    "food": sorted(f for f in FOODS if f not in COLOURS and FOODS[f][0] != "drink" and f not in ANIMALS),
    "job": sorted(JOBS),
    "country": sorted(c for c in COUNTRIES if c.lower() not in ANIMALS),
    "colour": list(COLOURS),
    "sport": list(SPORTS),
    "instrument": list(INSTRUMENTS),
    "vehicle": sorted(VEHICLES),
}
CATEGORY_OF = {word: category for category, words in WORDS_OF_CATEGORY.items() for word in words}

SPANISH = pairs("""dog perro, cat gato, house casa, water agua, bread pan, milk leche, sun sol, moon luna, day día,
night noche,
man hombre, woman mujer, boy niño, girl niña, friend amigo, book libro, table mesa, chair silla, door puerta, window
ventana,
red rojo, blue azul, green verde, black negro, white blanco, yellow amarillo, big grande, small pequeño, good bueno,
bad malo,
one uno, two dos, three tres, four cuatro, five cinco, six seis, seven siete, eight ocho, nine nueve, ten diez,
mother madre, father padre, brother hermano, sister hermana, hand mano, head cabeza, eye ojo, mouth boca, foot pie,
heart corazón,
apple manzana, egg huevo, cheese queso, fish pescado, meat carne, rice arroz, sugar azúcar, salt sal, coffee café, tea
té,
horse caballo, cow vaca, bird pájaro, sheep oveja, pig cerdo, duck pato, mouse ratón, bear oso, wolf lobo, lion león,
tree árbol, flower flor, river río, sea mar, mountain montaña, sky cielo, rain lluvia, snow nieve, wind viento, fire
fuego,
city ciudad, street calle, school escuela, church iglesia, shop tienda, car coche, train tren, ship barco, plane avión,
bed cama,
eat comer, drink beber, sleep dormir, speak hablar, read leer, write escribir, live vivir, sing cantar, run correr,
open abrir,
happy feliz, sad triste, new nuevo, old viejo, hot caliente, cold frío, today hoy, tomorrow mañana, yesterday ayer,
always siempre,
Monday lunes, Friday viernes, Sunday domingo, summer verano, winter invierno, thanks gracias, hello hola, goodbye adiós,
yes sí, shoe zapato, king rey, queen reina, teacher maestro, paper papel, key llave, money dinero, time tiempo, year
año""")
FRENCH = pairs("""dog chien, cat chat, house maison, water eau, bread pain, milk lait, sun soleil, moon lune, day jour,
night nuit,
man homme, woman femme, boy garçon, girl fille, friend ami, book livre, table table, chair chaise, door porte, window
fenêtre,
red rouge, blue bleu, green vert, black noir, white blanc, yellow jaune, big grand, small petit, good bon, bad mauvais,
one un, two deux, three trois, four quatre, five cinq, six six, seven sept, eight huit, nine neuf, ten dix,
mother mère, father père, brother frère, sister soeur, hand main, head tête, eye oeil, mouth bouche, foot pied, heart
coeur,
apple pomme, egg oeuf, cheese fromage, fish poisson, meat viande, rice riz, sugar sucre, salt sel, coffee café, tea thé,
horse cheval, cow vache, bird oiseau, sheep mouton, pig cochon, duck canard, mouse souris, bear ours, wolf loup, lion
lion,
tree arbre, flower fleur, river rivière, sea mer, mountain montagne, sky ciel, rain pluie, snow neige, wind vent, fire
feu,
city ville, street rue, school école, church église, shop magasin, car voiture, train train, ship bateau, plane avion,
bed lit,
eat manger, drink boire, sleep dormir, speak parler, read lire, write écrire, live vivre, sing chanter, run courir,
open ouvrir,
happy heureux, sad triste, new nouveau, old vieux, hot chaud, cold froid, today aujourd'hui, tomorrow demain, yesterday
hier,
Monday lundi, Friday vendredi, Sunday dimanche, summer été, winter hiver, thanks merci, hello bonjour, yes oui, king
roi, queen reine""")

GENDER_PAIRS = pairs("""king queen, prince princess, man woman, boy girl, father mother, son daughter, brother sister,
uncle aunt, nephew niece, grandfather grandmother, husband wife, actor actress, waiter waitress, hero heroine,
gentleman lady, grandson granddaughter, dad mum, duke duchess, wizard witch, host hostess, policeman policewoman,
lion lioness, tiger tigress, bull cow, cock hen, groom bride, steward stewardess, god goddess, emperor empress, monk
nun""")
GENDER_ADJECTIVES = words("old young kind tall brave tired clever happy famous quiet funny rich")


def draw_gendered(rng: Random) -> str:
    """A short phrase about one man, woman or animal."""
    word = rng.choice(rng.choice(GENDER_PAIRS))
    return f"{rng.choice(['the', 'my', 'our', 'this'])} {rng.choice(GENDER_ADJECTIVES)} {word}"


def swap_gender(phrase: str, slots: Mapping[str, str]) -> list[str] | None:
    """Exchange the last word for its partner."""
    head, _, last = normalize(phrase).rpartition(" ")
    partners = both_ways(GENDER_PAIRS).get(last)
    return [f"{head} {p}".strip() for p in partners] if partners else None


KINDS: list[Kind] = [
    Kind("opposite", "Word Relations",
         "In this task you are given an English word. Your task is to generate its antonym, that is, a single word "
         "with the "
         "opposite meaning. Do not simply put a negation in front.",
         *lookup(both_ways(OPPOSITE_PAIRS)),
         ("[Write|Give] the opposite of [the|this] [word|term].", "What word means the [opposite|contrary]?",
          "You get a word. [Write|Find] the word that means the [exact|] opposite.",
          "[Name|State] an antonym [for the word|].",
          "[Please|] turn the word into its opposite, as [hot|wet] becomes [cold|dry].",
          "Which word has the contrary meaning?",
          "I say one thing, you say the opposite.",
          "[Find|Supply] a word that says the [contrary|reverse] of this one.",
          "Can you think of an antonym?", "My daughter is learning opposites. Help her with this word.",
          "Reverse the meaning of the [given|following] word.",
          "Opposites [game|quiz]: answer with the other word of the pair.",
          "[If it is not this, what is it|Not this, but what]? [Reply with|Give] the opposite word."),
         ("What is the opposite of {input}?", "[Give|Tell] me an antonym for the word {input}.",
          "Which word means the contrary of {input}?",
          "Not {input}, but the opposite: [which word|what] is it?",
          "If something is not {input}, what is its opposite called?")),
    Kind("synonym", "Word Relations",
         "In this task you are given an English word. Your task is to write a synonym: a different word that has the "
         "same or nearly "
         "the same meaning as the given one.",
         *lookup(both_ways(SYNONYM_PAIRS)),
         ("[Write|Give] a synonym [for|of] the word.", "Which [other|different] word means the same [thing|]?",
          "[Find|Think of] another word with [nearly|] the same meaning.",
          "Replace the word by one that means the same.",
          "What else could [you|I] say instead of this word?",
          "I do not want to repeat myself. [Offer|Suggest] a word of equal meaning.",
          "[Please|] name a synonym.", "Here is a word; [say|express] the same thing with a different one.",
          "You are given a word. Your answer [is|should be] a word of [similar|like] meaning.",
          "Help a writer: which word could stand in place of this one?",
          "Two words, one meaning: [supply|add] the second word.",
          "[Swap|Exchange] this word for a synonym that [everybody|a child] knows."),
         ("What is a synonym for {input}?", "[Give|Find] another word for {input}.",
          "Which word means the same as {input}?",
          "How can I say {input} with a different word?", "I used {input} too often. What is a synonym?")),
    Kind("rhyme", "Word Relations",
         "You are given a common English word. Your task is to produce another English word which rhymes with it, "
         "meaning that both end in "
         "the same sound.",
         *lookup(RHYME_OF),
         ("[Write|Find|Give] a word that rhymes with this one.", "What rhymes with [it|this word]?",
          "[Name|Think of] a rhyme.",
          "I am writing a [song|poem]. Which word ends with the same sound?",
          "You get a word. [Answer|Reply] with a rhyming word.",
          "Find a rhyming partner [for the word|].", "Say a word that sounds the same at the end.",
          "A poet needs a rhyme for [the following|this] word. Help [him|her].",
          "[Please|] supply a word with the same ending sound.",
          "Complete the rhyming pair.", "Which [short|] word [could|would] rhyme here?",
          "[Kids|Children] love rhymes: give them one for this word."),
         ("What word rhymes with {input}?", "[Tell|Give] me a rhyme for {input}.",
          "Find a word that sounds like {input} at the end.",
          "My poem has a line ending in {input}. Which word rhymes?")),
    Kind("word_category", "Classification",
         "In this task you are given a noun or an adjective of colour. Classify it by the sort of thing it names. "
         "Answer with one of: animal, food, "
         "job, country, colour, sport, instrument, vehicle.",
         *lookup(CATEGORY_OF),
         ("What [category|group] does the word belong to: animal, food, job, country, colour, sport, instrument or "
          "vehicle?",
          "[Decide|Say] what kind of thing the word names.", "[Name|Give] the category of this word.",
          "Sort the word [into|under] the right heading: [animal, food, job, country, colour, sport, instrument, "
          "vehicle|animal, job, food, sport and so on].",
          "Is it an animal, a food, a job, a country, a colour, a sport, an instrument or a vehicle?",
          "Which [general|broader] class covers [this|the] word?", "[Classify|Label] the word by what it is.",
          "I have cards with words on them. Under which heading [do I put|goes] this one?",
          "Tell [me|us] in one word what sort of thing this is.",
          "[Find|Choose] the fitting category for the [word|term] below.",
          "[Please|] put this word in a category [such as animal or job|such as food or sport].",
          "A pupil sorts words by topic. [Where|In which box] does this one go?"),
         ("What kind of thing is [the word|] {input}?", "Which category does {input} belong to?",
          "Is {input} an animal, a food, a job, a country, a colour, a sport, an instrument or a vehicle?",
          "Classify the word {input}."),
         labels=tuple(WORDS_OF_CATEGORY)),
    Kind("gender_swap", "Word Relations",
         "You are given a phrase about a male or female person or animal. Rewrite the phrase so that the noun changes "
         "to its counterpart of the other sex, "
         "masculine to feminine or feminine to masculine.",
         *by_rule(draw_gendered, swap_gender),
         ("[Change|Turn] the man into a woman or the woman into a man.",
          "[Rewrite|Repeat] the phrase with the [feminine or masculine|other] counterpart.",
          "Swap the gender of the [noun|person or animal].",
          "If it is male, make it female; if it is female, make it male.",
          "What is the [matching|] phrase for the other sex?", "Say it about the other sex, as king becomes queen.",
          "Masculine words become feminine and the other way round. [Write|Give] the new phrase.",
          "[Replace|Exchange] the noun [with|for] the one for the opposite gender.",
          "In a play the roles are swapped between boys and girls. How does this role read now?",
          "[Please|] switch he and she in the phrase.",
          "The author wants the opposite gender here. [Fix|Adapt] the words.",
          "Keep the adjective but [use|choose] the noun for the opposite sex."),
         ("What is the counterpart of {input} for the other sex?", "Swap the gender in: {input}.",
          "Change {input} from [male to female or female to male|one gender to the other].",
          "How do you say {input} for the opposite gender?")),
    Kind("english_to_spanish", "Translation",
         "In this task you are given a word in English. Your task is to translate it into the Spanish language, "
         "giving one Spanish word only.",
         *lookup(dict(SPANISH)),
         ("[Translate|Put] the English word into Spanish.", "How do you say this in Spanish?",
          "[Write|Give] the Spanish word [for it|].",
          "What is [the|this] word called in Spain?",
          "I am travelling to [Mexico|Spain|Peru]. Which word do I need there?",
          "[Tell|Teach] me the Spanish for this word.", "You get an English word. Answer in Spanish.",
          "What would a [Spaniard|Mexican|Spanish speaker] call it?", "[Please|] find the Spanish translation.",
          "Fill in the Spanish column of the [dictionary|vocabulary list].", "From English to Spanish: translate.",
          "My Spanish homework has this English word. What [should I|do I] write?"),
         ("How do you say {input} in Spanish?", "Translate {input} into Spanish.",
          "What is the Spanish word for {input}?",
          "[Tell me|Write] {input} in Spanish.", "In Spain, what do people call {input}?")),
    Kind("spanish_to_english", "Translation",
         "In this task you are given a word in Spanish. Translate it and write the English word with the same meaning.",
         *lookup({b: a for a, b in SPANISH}),
         ("[Translate|Put] the Spanish word into English.", "What does this Spanish word mean?",
          "[Write|Give] the English [word|meaning].",
          "I [saw|read] this word on a sign in [Madrid|Spain|Lima]. What is it in English?",
          "How would you say it in English?",
          "[Explain|Tell me] the Spanish word in English.",
          "You get a word from Spanish. Answer with its English translation.",
          "[Please|] find out what the Spanish speaker [means|said].", "From Spanish to English: translate.",
          "A [Mexican|Spanish|Chilean] friend wrote me this word. [What did she mean|Which English word is it]?",
          "Fill in the English side of the vocabulary card.",
          "Which English word [stands for|corresponds to] this one from Spanish?"),
         ("What does {input} mean in English?", "Translate {input} from Spanish.",
          "The Spanish say {input}. What is that in English?",
          "[Which|What] English word means {input} in Spanish?")),
    Kind("english_to_french", "Translation",
         "You are given an English word. Your task is to translate it to French and write just the French word.",
         *lookup(dict(FRENCH)),
         ("[Translate|Put] the English word into French.", "How do you say this in French?",
          "[Write|Give] the French word [for it|].",
          "What is it called in France?", "We are flying to [Paris|France] soon. Which word do we use there?",
          "[Tell|Teach] me the French for this word.", "You get an English word. Answer in French.",
          "What would a [French|Parisian] shopkeeper call it?", "[Please|] look for the French translation.",
          "Complete the French column of my vocabulary list.", "From English to French: translate.",
          "A French teacher asks for this word. What is the right reply?"),
         ("How do you say {input} in French?", "Translate {input} into French.", "What is the French word for {input}?",
          "What do people in Paris call {input}?", "[Give|Write] me {input} in French.")),
    Kind("french_to_english", "Translation",
         "In this task you are given a word in French. Your task is to translate it and write the English word that "
         "has the same meaning.",
         *lookup({b: [a for a, other in FRENCH if other == b] for _, b in FRENCH}), far=True),
]  # fmt: skip

PROSE: list[Prose] = [
    teller(OPPOSITE_PAIRS, ("The opposite of {0} is {1}.", "{0} is the opposite of {1}.", "What is not {0} may be {1}.",
                            "{0} and {1} are opposites.", "{1}: antonym {0}.", "{0} means the contrary of {1}.")),
    teller(SYNONYM_PAIRS, ("{0} means the same as {1}.", "Another word for {0} is {1}.", "{0} and {1} are synonyms.",
                           "Instead of {1} you can say {0}.", "{1} is a synonym of {0}.", "{0}: the same as {1}.")),
    teller([(g[i], g[j]) for g in RHYMES for i in range(len(g)) for j in range(len(g)) if i != j],
           ("{0} rhymes with {1}.", "{0} and {1} rhyme.", "A rhyme for {0} is {1}.",
            "{0} sounds like {1} at the end.")),
    teller(sorted(CATEGORY_OF.items()), ("The word {0} names one sort of {1}.", "{0}: {1}.",
    "By category, {0} goes under {1}.",
                                        "We put {0} under the heading {1}.", "What is {0}? One kind of {1}.")),
    teller(GENDER_PAIRS, ("The female counterpart of {0} is {1}.", "The {0} is male and the {1} is female.",
    "{0} for him, {1} for her.",
                          "The feminine of {0} is {1}.", "The masculine of {1} is {0}.")),
    teller(SPANISH, ("In Spanish, {0} is {1}.", "{1} is the Spanish word for {0}.", "The Spanish say {1} for {0}.",
    "{1} means {0} in English.",
                     "{0} in Spanish: {1}.", "When a Spaniard says {1}, the English word is {0}.",
                     "{1}, Spanish for {0}.")),
    teller(FRENCH, ("In French, {0} is {1}.", "{1} is the French word for {0}.", "The French say {1} for {0}.",
    "{1} means {0}, say the French.",
                    "{0} in French: {1}.", "The French word {1} means {0} in English.", "{1}, French for {0}.")),
]  # fmt: skip
