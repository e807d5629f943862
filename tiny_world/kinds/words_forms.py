"""Kinds on the forms of words: plural and singular, the tenses of verbs, the degrees of adjectives."""

from __future__ import annotations

import re

from tiny_world.kind import Kind, lookup
from tiny_world.kinds.words import Prose, pairs, teller, words

IRREGULAR_PLURALS = dict(
    pairs("""man men, woman women, child children, foot feet, tooth teeth, mouse mice, goose geese,
sheep sheep, fish fish, deer deer, person people, ox oxen, knife knives, wife wives, life lives, leaf leaves, wolf
wolves,
half halves, shelf shelves, thief thieves, loaf loaves, calf calves, hero heroes, potato potatoes, tomato tomatoes""")
)
NOUNS = sorted({*IRREGULAR_PLURALS, *words("""apple arm baby bag ball bank bath bed bee berry bird boat book bottle box
boy
bridge brush bus
bush car cat chair cherry church city class clock cloud coat coin country cow cup day desk dish doctor dog door dress
duck ear egg eye face family farm finger flag flower fly forest fork fox friend game garden girl glass hand hat hill
horse house
island key king kiss kitchen lady lake lamp letter lion match monkey month nose party peach pen pencil picture plane
plate
pony queen ring river road room school ship shoe shop song spoon star stone story street table teacher toy train tree
village wall watch week window wish witch word year""")})  # fmt: skip
IRREGULAR_PASTS = dict(
    pairs("""be was, begin began, bite bit, blow blew, break broke, bring brought, build built, buy bought,
catch caught, choose chose, come came, cut cut, dig dug, draw drew, drink drank, drive drove, eat ate, fall fell, feed
fed,
feel felt, fight fought, find found, fly flew, forget forgot, freeze froze, get got, give gave, go went, grow grew,
hear heard,
hide hid, hit hit, hold held, keep kept, know knew, leave left, lend lent, lose lost, make made, meet met, pay paid,
put put,
read read, ride rode, ring rang, run ran, say said, see saw, sell sold, send sent, shake shook, shine shone, sing sang,
sit sat,
sleep slept, speak spoke, spend spent, stand stood, steal stole, swim swam, take took, teach taught, tell told, think
thought,
throw threw, wake woke, wear wore, win won, write wrote""")
)
VERBS = sorted({*IRREGULAR_PASTS, *words("""answer ask bake call carry clean climb close cook count cry dance drop
finish fix
follow
help hop hope hug hurry invite jump kick kiss knock laugh learn lift like listen live look love marry mix move need
open paint
plan plant play pull push rain reach save shop shout smile start stay stop study talk thank travel try turn use visit
wait
walk want wash watch wish work worry""")} - {"be"})  # fmt: skip
DOUBLED = set(words("begin cut dig drop forget get hit hop hug plan put run shop sit stop swim win"))
ADJECTIVES = words("""old young tall short long small large big fast slow cold warm hot cool rich poor clean dark light
hard
soft
high low deep wide narrow thick thin strong weak loud quiet kind brave nice safe late early happy funny easy busy heavy
pretty
dirty hungry thirsty noisy lazy lucky angry ugly dry wet fat sad cheap clever smart sweet sour bright calm clear close
cruel
cute fair fine fresh full gentle great green grey hungry large mild near neat new polite proud pure quick rare ripe
rough rude
sharp shy silly simple smooth spicy steep strange sunny tidy tight tiny tough white wild wise windy rainy
cloudy""")


def plural(noun: str) -> str:
    """The plural of an English noun."""
    if noun in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[noun]
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if re.search(r"(s|x|z|ch|sh)$", noun) else "s")


def third_person(verb: str) -> str:
    """The form with he, she or it."""
    if verb in ("go", "do"):
        return verb + "es"
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ies"
    return verb + ("es" if re.search(r"(s|x|z|ch|sh)$", verb) else "s")


def past(verb: str) -> str:
    """The simple past."""
    if verb in IRREGULAR_PASTS:
        return IRREGULAR_PASTS[verb]
    if verb == "travel":
        return "travelled"
    if verb in DOUBLED:
        return verb + verb[-1] + "ed"
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ied"
    return verb + ("d" if verb.endswith("e") else "ed")


def ing(verb: str) -> str:
    """The -ing form."""
    if verb == "travel":
        return "travelling"
    if verb in DOUBLED:
        return verb + verb[-1] + "ing"
    return (verb[:-1] if re.search(r"[^e]e$", verb) and verb != "be" else verb) + "ing"


def degree(adjective: str, ending: str) -> str:
    """The comparative (er) or superlative (est)."""
    if adjective in ("big", "hot", "thin", "fat", "sad", "wet"):
        return adjective + adjective[-1] + ending
    if re.search(r"[^aeiou]y$", adjective) and adjective not in ("shy",):
        return adjective[:-1] + "i" + ending
    return adjective.removesuffix("e") + ending


PLURALS = {n: plural(n) for n in NOUNS}
PASTS = {v: past(v) for v in VERBS}
COMPARATIVES = {a: degree(a, "er") for a in ADJECTIVES}
SUPERLATIVES = {a: degree(a, "est") for a in ADJECTIVES}


KINDS: list[Kind] = [
    Kind("plural", "Grammar",
         "In this task you are given a noun in the singular. Your task is to write its plural form, the one that is "
         "used for more than one, with the right spelling.",
         *lookup(PLURALS),
         ("[Write|Give] the plural of the noun.", "One is given; [write|say] what we call two or more of them.",
          "What is the plural [form|] here?",
          "[Make|Turn] the singular noun [plural|into a plural].",
          "How do you write this noun when there are [many|several]?",
          "Put the word in the plural.", "There is not one but [ten|five|three]. [Change|Adjust] the noun.",
          "You see a noun for one thing. Write it for many.",
          "[Please|] form the plural, and watch the spelling.", "Which form of the noun follows [two|many|a few]?",
          "Some plurals are irregular. [Give|What is] the right one for this noun[.|?]",
          "My exercise says: singular to plural. Help me with this one."),
         ("What is the plural of {input}?", "One {input}, two what?",
          "[Write|Spell] the plural form of the noun {input}.", "How do you say {input} when there are many?")),
    Kind("past_tense", "Grammar",
         "In this task you are given a verb in the present. Generate the simple past tense of the verb, as it is used "
         "for things that happened yesterday.",
         *lookup(PASTS),
         ("[Write|Give] the past tense of the verb.", "How is this verb said [about|for] yesterday?",
          "[Put|Change] the verb into the [simple|] past.",
          "What form does the verb take after \"[yesterday|last week] I\"?",
          "Today I do it; what did I do yesterday? [Give|Write] the form.",
          "You get a verb in the present. Answer with its past form.",
          "It has already happened, so [adapt|change] the verb.",
          "[State|Find] the preterite of the verb.",
          "The story is told in the past. Which form of the verb do we need?",
          "[Please|] conjugate the verb in the past tense.",
          "A learner asks for the past of [an English|this] verb. Answer.",
          "Is it regular or irregular? Show the past tense."),
         ("What is the past tense of {input}?", "[Give|Write] the past form of the verb {input}.",
          "Today we {input}; yesterday we what?", "Put {input} into the past.")),
    Kind("ing_form", "Grammar",
         "You are given an English verb. Your task is to form its present participle, the -ing form, with correct "
         "spelling.",
         *lookup({v: ing(v) for v in VERBS}),
         ("[Write|Give] the -ing form of the verb.", "Add -ing to the verb [and mind the spelling|].",
          "What is the present participle?",
          "[Somebody|She] is doing it right now: [write|give] the verb form that ends in -ing.",
          "Which form follows \"[I am|he is]\"?",
          "[Turn|Change] the verb into its participle in -ing.", "Form the continuous of the verb in one word.",
          "The action is going on. How is the verb [written|spelled] now?",
          "[Please|] make the gerund.", "You are given a bare verb; attach the ending -ing correctly.",
          "Double a letter or drop the e if needed, then write the -ing form.",
          "My friend forgets how the -ing ending is spelled. Show her with this verb."),
         ("What is the -ing form of {input}?", "Write the verb {input} with -ing.",
          "I {input} every day; right now I am what?", "[Give|What is] the present participle of {input}[.|?]")),
    Kind("third_person", "Grammar",
         "You are given an English verb in its base form. Your task is to write the form of the verb used in the "
         "present tense with he, she or it.",
         *lookup({v: third_person(v) for v in VERBS}),
         ("[Write|Give] the third person form of the verb.",
          "I do it and he [does|does] it too: [write|which is] the form for he.",
          "[Put|Change] the verb into the form used with [she|he|it].",
          "Which ending does the verb take after [he or she|a single person]?",
          "What does the verb look like in the third person singular?", "Say what she does, in one verb.",
          "Conjugate for [he|she|it] in the present tense.", "Write the verb with its -s ending.",
          "The subject is [my sister|Peter|the dog]. Give the matching verb form.",
          "[Please|] make the verb agree with [he|she].",
          "You see a verb as in \"they do\". Rewrite it as after \"he\".",
          "Add s, es or ies to the verb, whichever is right."),
         ("What is the third person of {input}?", "I {input}, but she what?",
          "Write the verb {input} as used with he.", "Which form of {input} goes with she?")),
    Kind("comparative", "Grammar",
         "In this task you are given an adjective. Your task is to write its comparative form, which is used to "
         "compare two things.",
         *lookup(COMPARATIVES),
         ("[Write|Give] the comparative of the adjective.",
          "What form do we use [for comparing|to compare] two things?", "[Make|Turn] the adjective into the -er form.",
          "Which word goes before \"than\"?", "[Put|Change] the adjective in the comparative.",
          "If one thing has more of this quality than another, it is what?",
          "Add -er, with the correct spelling.",
          "You get an adjective such as [slow|soft]. Answer as in [slower|softer].",
          "Peter is this, but Paul is even more so. Give the form for Paul.",
          "[Please|] write how the adjective looks in a comparison of two.",
          "Compare two [houses|dogs|friends]: which form of the adjective fits?",
          "Strong becomes stronger. Do the same with this adjective."),
         ("What is the comparative of {input}?", "One is {input}, the other is even what?",
          "Write the comparative form of {input}.", "Which form of {input} stands before than?")),
    Kind("superlative", "Grammar",
         "You are given an adjective. Your task is to produce the superlative, the form that describes the highest "
         "degree among three or more things.",
         *lookup(SUPERLATIVES),
         ("[Write|Give] the superlative of the adjective.",
          "What do we call the one that beats all [the|] others in this quality?",
          "[Turn|Make] the adjective into the -est form.",
          "Which form of the adjective follows \"the\" when [nobody|nothing] has more of it?",
          "Add -est and mind the spelling.", "[Put|Write] the adjective in the highest degree.",
          "Of all the [pupils|towns|rivers] this one has the most. Give the form.",
          "You get an adjective like [fast|kind]. Answer like [fastest|kindest].",
          "[Please|] form the superlative.", "A book of records needs this adjective in its strongest form.",
          "Strong becomes strongest. What happens to this [one|adjective]?",
          "More than all the rest: how does the adjective end then?"),
         ("What is the superlative of {input}?", "One is {input}, but which word describes the top one?",
          "Write the superlative form of {input}.", "Out of them all it is the most {input}. Say it with one word.")),
    Kind("singular", "Grammar",
         "In this task you are given a noun in the plural. Your task is to write its singular form, the one that is "
         "used for only one.",
         *lookup({p: n for n, p in PLURALS.items()}), far=True),
    Kind("base_of_past", "Grammar",
         "In this task you are given a verb in the past tense. Your task is to write the verb in the present, as it "
         "stands after \"to\".",
         *lookup({past(v): v for v in reversed(VERBS)}), far=True),
]  # fmt: skip

PROSE: list[Prose] = [
    teller(sorted(PLURALS.items()), ("One {0}, two {1}.", "The plural of {0} is {1}.", "{1} is the plural of {0}.",
    "We say one {0} but many {1}.",
                                     "The singular of {1} is {0}.",
                                     "There were three {1}, and only one {0} was left.")),
    teller(sorted(PASTS.items()), ("Today they {0}, yesterday they {1}.", "The past tense of {0} is {1}.",
    "{1} is the past of {0}.", "The verb {0} becomes {1} in the past.",
                                   "We {1} last week and we will {0} again.", "{0}, {1}.")),
    teller([(v, ing(v), third_person(v)) for v in VERBS], ("I {0} and she {2}.", "While we {0}, she is {1} too.",
    "The -ing form of {0} is {1}.", "He {2} every day; he is {1} now.",
                                                           "{2} is the form of {0} after he or she.",
                                                           "The present participle of {0} is {1}.")),
    teller([(a, COMPARATIVES[a], SUPERLATIVES[a]) for a in ADJECTIVES], ("{0}, {1}, {2}.",
    "Ben is {0}, Max is {1}, and Leo is the {2}.", "The comparative of {0} is {1}.",
           "The superlative of {0} is {2}.", "{1} than all the others means the {2}.",
           "This one is {1} than that one.")),
]  # fmt: skip
