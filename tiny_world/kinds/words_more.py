"""Kinds on making words from words: adjectives and persons, prefixes, articles, contractions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random

from tiny_world.kind import Example, Kind, by_rule, lookup, normalize
from tiny_world.kinds.words import Prose, pairs, teller
from tiny_world.kinds.words_forms import ADJECTIVES, NOUNS
from tiny_world.world import PEOPLE, article

ADJECTIVE_OF = dict(
    pairs("""sun sunny, rain rainy, wind windy, cloud cloudy, snow snowy, fog foggy, salt salty, sugar sugary,
noise noisy, luck lucky, dirt dirty, hunger hungry, thirst thirsty, anger angry, fame famous, danger dangerous, poison
poisonous,
beauty beautiful, care careful, colour colourful, help helpful, hope hopeful, joy joyful, pain painful, peace peaceful,
power powerful, success successful, thank thankful, use useful, wonder wonderful, wood wooden, gold golden, wool
woollen,
nation national, music musical, magic magical, nature natural, season seasonal, tradition traditional, person personal,
friend friendly, cost costly, love lovely, coward cowardly, day daily, week weekly, month monthly, year yearly, child
childish,
fool foolish, self selfish, health healthy, wealth wealthy, dust dusty, mud muddy, sand sandy, rock rocky, hair hairy,
ice icy,
juice juicy, spice spicy, taste tasty, sleep sleepy, smell smelly, storm stormy, grass grassy, water watery, milk
milky, fun funny,
ease easy, cheer cheerful, truth truthful, skill skilful, doubt doubtful, harm harmful, play playful, forget forgetful,
hero heroic, history historic, science scientific, energy energetic, artist artistic, comfort comfortable, fashion
fashionable,
value valuable, adventure adventurous, mountain mountainous, mystery mysterious, courage courageous, nerve nervous,
envy envious,
pride proud, heat hot, strength strong, length long, height high, depth deep, width wide, youth young, warmth warm,
death dead, life alive, silence silent, patience patient, north northern, south southern, east eastern, west western""")
)
DOER_OF = dict(
    pairs("""bake baker, teach teacher, write writer, read reader, sing singer, dance dancer, paint painter, drive
driver,
farm farmer, build builder, play player, run runner, swim swimmer, win winner, lose loser, sell seller, buy buyer, help
helper,
lead leader, speak speaker, listen listener, think thinker, dream dreamer, work worker, travel traveller, hunt hunter,
clean cleaner,
climb climber, jump jumper, walk walker, cook cook, act actor, direct director, visit visitor, sail sailor, invent
inventor,
collect collector, edit editor, translate translator, create creator, instruct instructor, conduct conductor, invest
investor,
decorate decorator, educate educator, govern governor, inspect inspector, operate operator, narrate narrator, survive
survivor,
design designer, photograph photographer, manage manager, report reporter, own owner, rob robber, kill killer, murder
murderer,
steal thief, fish fisherman, mine miner, garden gardener, wait waiter, serve server, open opener, keep keeper, begin
beginner,
learn learner, follow follower, ride rider, skate skater, ski skier, surf surfer, box boxer, fight fighter, catch
catcher,
throw thrower, kick kicker, row rower, cycle cyclist, type typist, tour tourist, study student, assist assistant,
sculpt sculptor,
rule ruler, preach preacher, explore explorer, examine examiner, joke joker, lie liar, beg beggar, publish publisher,
perform performer, produce producer, sew sewer, weave weaver, brew brewer, plumb plumber, train trainer, coach coach,
consume consumer, supply supplier, carry carrier, smoke smoker, rescue rescuer""")
)
PREFIXED = {"un": "happy kind fair safe lucky known clear able tidy usual healthy friendly likely wise true even well "
            "lock do pack "
                  "tie fold cover button wrap dress load plug seen finished paid used broken welcome important "
                  "married popular",
            "re": "write read build use play start open turn think paint fill heat name move make tell do take visit "
            "count "
                  "check place load new arrange consider appear join print unite wind sell send draw view gain group "
                  "order train",
            "dis": "agree like appear obey honest connect trust order advantage comfort grace respect approve allow",
            "mis": "understand spell behave lead place read judge take fortune count print trust"}  # fmt: skip
CONTRACTIONS = pairs("""I'm I_am, I've I_have, I'll I_will, you're you_are, you've you_have, you'll you_will, he's
he_is,
he'll he_will, she's she_is, she'll she_will, it's it_is, it'll it_will, we're we_are, we've we_have, we'll we_will,
they're they_are, they've they_have, they'll they_will, isn't is_not, aren't are_not, wasn't was_not, weren't were_not,
don't do_not, doesn't does_not, didn't did_not, haven't have_not, hasn't has_not, hadn't had_not, can't cannot,
couldn't could_not, won't will_not, wouldn't would_not, shouldn't should_not, mustn't must_not, let's let_us, that's
that_is,
what's what_is, who's who_is, where's where_is, there's there_is, here's here_is""")
TAILS = {"m": ("tired", "at home", "very hungry", "ready"), "s": ("in the garden", "my friend", "over there",
"new here"),
         "re": ("late", "good friends", "from Spain", "at school"), "ve": ("seen it", "lost the key", "read the book"),
         "ll": ("come tomorrow", "help you", "wait here", "see")}  # fmt: skip
NEGATED = {"isn't": "open", "aren't": "ready", "wasn't": "hungry", "weren't": "there", "don't": "know",
"doesn't": "matter",
           "didn't": "sleep", "haven't": "eaten", "hasn't": "called", "hadn't": "finished", "can't": "swim",
           "couldn't": "stop",
           "won't": "rain", "wouldn't": "help", "shouldn't": "worry", "mustn't": "run"}  # fmt: skip
SINGULAR_ONLY = ("isn't", "wasn't", "doesn't", "hasn't")


def draw_contracted(rng: Random) -> str:
    """A short sentence with one contraction."""
    short = rng.choice([short for short, _ in CONTRACTIONS])
    if short in NEGATED:
        one = short in SINGULAR_ONLY
        many = short in ("aren't", "weren't", "don't", "haven't")
        who = rng.choice(["They", "We", "You", "The boys"] if many else ["He", "She", "It", *PEOPLE] if one else
                         ["I", "You", "We", "They", "She", *PEOPLE])  # fmt: skip
        return f"{who} {short} {NEGATED[short]}{rng.choice(['', ' today', ' now', ' yet'])}."
    if short == "let's":
        verb = rng.choice(["eat", "play", "sing", "leave", "dance"])
        return f"Let's {verb} {rng.choice(['now', 'together', 'outside'])}."
    tail = rng.choice(TAILS[short.split("'")[1]])
    if short in ("what's", "who's", "where's"):
        return f"{short.capitalize()} {rng.choice(['that', 'he', 'your name', 'my bag', 'the dog'])}?"
    return f"{short[0].upper()}{short[1:]} {tail}."


def lengthen(sentence: str, slots: Mapping[str, str] | None = None) -> list[str] | None:
    """Write the contraction of a sentence in full."""
    for short, full in CONTRACTIONS:
        new = re.sub(rf"(?<![\w'])({re.escape(short)})(?![\w'])", full, sentence, flags=re.IGNORECASE)
        if new != sentence:
            new = new[:1].upper() + new[1:]
            return [new, new.replace("cannot", "can not")]
    return None


def shorten(sentence: str, slots: Mapping[str, str] | None = None) -> list[str] | None:
    """Contract the two words of a sentence that can be contracted (the negation first)."""
    results = []
    for short, full in sorted(CONTRACTIONS, key=lambda row: " not" not in row[1]):
        new = re.sub(rf"(?<![\w'])({re.escape(full)})(?![\w'])", short, sentence, flags=re.IGNORECASE)
        if new != sentence:
            results.append(new[:1].upper() + new[1:])
    return results or None


def draw_prefix(rng: Random) -> Example:
    """A word and the prefix to put before it, given together as in 'un + happy'."""
    prefix = rng.choice(sorted(PREFIXED))
    return Example(f"{prefix} + {rng.choice(PREFIXED[prefix].split())}", "")


def add_prefix(input: str, slots: Mapping[str, str]) -> list[str] | None:
    """Join 'un + happy'."""
    match = re.fullmatch(r"(un|re|dis|mis)-?\s*\+\s*([a-z]+)", input.strip().lower())
    return ["".join(match.groups())] if match else None


def draw_noun_phrase(rng: Random) -> str:
    """A singular noun, alone or after an adjective, without an article."""
    noun = rng.choice(
        [n for n in NOUNS if n not in ("people",)] + ["umbrella", "orange", "onion", "elephant", "owl", "artist"]
    )
    return (
        noun if rng.random() < 0.4 else f"{rng.choice([*ADJECTIVES, 'old', 'ugly', 'angry', 'easy', 'early'])} {noun}"
    )


def add_article(phrase: str, slots: Mapping[str, str]) -> list[str] | None:
    """Put a or an in front."""
    text = normalize(phrase)
    if not re.fullmatch(r"[a-z]+( [a-z]+)?", text) or text.split()[0] in ("a", "an", "the"):
        return None
    return [("an " if re.match(r"hour|honest", text) else "a " if re.match(r"uni|use|one|euro", text) else "") + text] \
        if re.match(r"hour|honest|uni[^nm]|use|one|euro", text) else [article(text)]  # fmt: skip


KINDS: list[Kind] = [
    Kind("noun_to_adjective", "Word Relations",
         "In this task you are given a noun. Write the adjective that belongs to it, formed from the same root or "
         "having the same idea.",
         *lookup(ADJECTIVE_OF),
         ("[Write|Give] the adjective [made|formed] from the noun.", "[Turn|Change] the noun into an adjective.",
          "Which adjective [belongs to|comes from] this noun?",
          "What describes a thing that has much of this? One adjective, please.",
          "From noun to adjective, as in rain and rainy.", "[Find|Name] the describing word related to the noun.",
          "You are given a noun. Answer with its adjective.",
          "The noun will not fit my sentence; I need the adjective.",
          "[Please|] derive an adjective from the [given|] noun.",
          "How do we call something with this quality?", "Same root, other kind of word: noun becomes adjective.",
          "Word families: add the adjective to the noun."),
         ("What is the adjective of {input}?", "Which adjective comes from the noun {input}?",
          "Turn {input} into an adjective.", "[Write|Give] the adjective that belongs to {input}.")),
    Kind("doer", "Word Relations",
         "In this task you are given a verb. Your task is to write the noun for the person who does the action.",
         *lookup(DOER_OF),
         ("[Write|Give] the noun for the person who does this.", "What do you call someone who does it?",
          "Who does that? [Name|Write] the person from the verb.",
          "[Turn|Make] the verb into a word for a person.", "Bake gives baker. What does this verb give?",
          "[Name|Find] the doer of the action.",
          "A person is [named|called] after the action. Which word is it?",
          "You get a verb; [answer|reply] with the one who performs it.",
          "[Please|] form the agent noun of the verb.", "Someone does this all day. What is that person?",
          "From the action to the person: write the noun.",
          "Add -er or -or, or use the special word, for the person."),
         ("What do you call a person who can {input}?", "Who does {input}? Name the person with one word.",
          "A person whose action is {input} is called what?", "Make a noun for the doer of {input}.")),
    Kind("prefix", "Grammar",
         "You are given a prefix and a word joined by a plus sign. Your task is to put the prefix in front and write "
         "the new word.",
         *by_rule(draw_prefix, add_prefix),
         ("[Put|Place] the prefix in front of the word.", "[Join|Combine] the prefix and the word.",
          "Build a new word from the beginning and the base.",
          "What word do you get [from the sum|with this prefix]?", "Attach un-, re-, dis- or mis- as shown.",
          "A prefix plus a word: write the result.",
          "[Add|Fix] the little syllable to the front and [write|give] the whole.",
          "Make one word out of prefix and stem.", "The prefix changes the meaning. How is the new word written?",
          "[Please|] write the two pieces together without the plus.", "Word building: prefix first, then the rest.",
          "A syllable and a word are given; glue them."),
         ("What word do you get from {input}?", "Put together {input}.",
          "Which word is {input}, prefix and stem in one?", "Write {input} as one word.")),
    Kind("a_or_an", "Grammar",
         "You are given a noun or an adjective with a noun. Your task is to put the right indefinite article, a or "
         "an, in front of it.",
         *by_rule(draw_noun_phrase, add_article),
         ("[Put|Write] a or an in front.", "[Add|Supply] the right indefinite article.",
          "Is it a or an? Write [the article with the words|both].",
          "Which article belongs [here|in front]?", "[Repeat|Copy] the words with a or an before them.",
          "Look at the first sound and choose [between a and an|the article].",
          "A foreigner never knows whether to say a or an. Help with this one.",
          "You see a noun without its article. Write it with one.",
          "[Please|] complete with a or an.", "Start with the correct article, then the noun.",
          "Before a vowel use an, otherwise a. Apply it here.",
          "Fill in the small missing word before the noun."),
         ("Is it a or an {input}?", "Write {input} with the right article.", "Put a or an before {input}.",
          "Which article does {input} need? Write all of it.")),
    Kind("write_in_full", "Rewriting",
         "In this task you are given a sentence that contains a contraction. Rewrite the sentence so that the "
         "contraction is written out in full words.",
         *by_rule(draw_contracted, lengthen),
         ("[Write|Spell] the contraction out in full.", "Rewrite the sentence without the short form.",
          "[Replace|Exchange] the word with the apostrophe by its long form.",
          "Make the sentence more formal: no contractions.", "What is the full form of this sentence?",
          "[Expand|Undo] the contraction.", "Remove the apostrophe and write all the words.",
          "In a letter to the mayor short forms look sloppy. Improve the sentence.",
          "Two words were squeezed into one. [Separate|Split] them again.",
          "[Please|] say the same with the complete words.",
          "My teacher forbids words like don't and it's. Change mine.",
          "The shortened words should be given at full length."),
         ("Write \"{input}\" without the contraction.", "Expand the contraction in this: {input}",
          "How is \"{input}\" written in full?", "What does \"{input}\" look like without short forms?")),
    Kind("contract", "Rewriting",
         "You are given a sentence. Two of its words can be contracted. Rewrite the sentence with the contraction, "
         "using an apostrophe.",
         *by_rule(lambda rng: (lengthen(draw_contracted(rng)) or [""])[0], shorten),
         ("[Use|Write] a contraction in the sentence.",
          "[Shorten|Contract] the two words that can be joined with an apostrophe.",
          "Make the sentence sound [casual|relaxed] with a short form.",
          "Rewrite it as people really talk, with words like don't or it's.",
          "[Replace|Swap] the full form by the short form.",
          "Which words can be merged? Write the sentence with them merged.",
          "Say it shorter, with an apostrophe.", "In a chat with a friend you would use the contraction. Do so.",
          "Turn \"is not\" into \"isn't\" and the like.",
          "[Please|] write the informal version with the contracted word.", "Squeeze two words into one.",
          "The sentence is too stiff. A contraction helps: put one in."),
         ("Write \"{input}\" with a contraction.", "Use a short form in: {input}",
          "How do people say \"{input}\" with an apostrophe?", "Contract this: {input}")),
]  # fmt: skip

PROSE: list[Prose] = [
    teller(sorted(ADJECTIVE_OF.items()), ("The adjective of {0} is {1}.", "From {0} comes {1}.",
    "What has to do with {0} is {1}.", "{1} is formed from the noun {0}.", "{0}: noun; {1}: adjective.")),
    teller(sorted(DOER_OF.items()), ("The person who can {0} is the {1}.", "To {0} is the job of a {1}.",
    "From {0} we make {1}.", "Those who {0}: each is called {1}.", "{1}: a person who will {0}.")),
    teller([(p, w, p + w) for p in sorted(PREFIXED) for w in PREFIXED[p].split()], ("The prefix {0} before {1} makes "
                                                                                    "{2}.", "{2} is made of {0} and "
                                                                                    "{1}.", "{0} + {1} is {2}.",
                                                                                    "{0}- and {1}: {2}.")),
    teller([(s, f) for s, f in CONTRACTIONS], ("{0} is short for {1}.", "{1} becomes {0}.",
    "Written in full, {0} is {1}.", "The contraction of {1} is {0}.", "{0}: {1}.")),
    teller([(n, article(n), a, article(a)) for n, a in zip(NOUNS, ADJECTIVES, strict=False)], ("We say {1}.",
    "It was {1}, and {3} one.", "It is {1}, not the {0}.", "{3} {0}, they said.")),
]  # fmt: skip
