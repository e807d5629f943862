"""Kinds that find words of one sentence: its verb, adjective, names, number, animal, food, profession, keywords."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from tiny_world.kind import Draw, Judge, Kind, Verdict, by_rule
from tiny_world.kinds.extraction import draw_until, numbers, one_of, part
from tiny_world.kinds.sentence_words import ADJECTIVES, bag, conjugate
from tiny_world.kinds.sentences import Sentence, lines, names_in, words
from tiny_world.world import ANIMALS, COLOURS, DAYS, FOODS, JOBS, MONTHS, NUMBER_WORDS, join

PROSE: list[Callable[[Random], str]] = []
_STOP = frozenset(
    bag(
        "the a an some my our his her their and or with to in at on near by under behind is was are were will be he "
        "she it they we i because every last next this of o'clock after before"
    )
)


def rule(find: Callable[[str], Sequence[str]], **need: object) -> tuple[Draw, Judge]:
    """Draw a sentence in which the rule finds something; any text in which it does is a good input."""

    def solve(input: str, slots: object) -> Sequence[str] | None:
        return find(input) or None

    return by_rule(lambda rng: draw_until(rng, lambda text: bool(find(text)), **need), solve)


def verb_of(s: Sentence) -> list[str]:
    """The verb as it stands; the future also without will."""
    return [conjugate(s.verb, s.tense, s.subject), *([s.verb] if s.tense == "future" else [])]


def adjective_of(text: str) -> list[str]:
    """The only adjective of a text."""
    found = [w for w in words(text.lower()) if w in ADJECTIVES or w in COLOURS]
    return found if len(found) == 1 else []


def all_names(text: str) -> list[str]:
    """All names, as a list and with and."""
    found = names_in(text)
    return [", ".join(found), join(found), " ".join(found)] if found else []


def number_in(text: str) -> list[str]:
    """The only number of a text, as word and as figure."""
    found = numbers(text)
    if len(found) != 1:
        return []
    return [found[0], str(NUMBER_WORDS.index(found[0]))] if found[0] in NUMBER_WORDS else found


def content(text: str) -> list[str]:
    """The words of a text that carry meaning."""
    return [w for w in words(text) if w.lower() not in _STOP]


def keywords() -> tuple[Draw, Judge]:
    """Two to five content words of a sentence, separated by commas."""
    draw, _ = rule(
        lambda text: [", ".join(content(text)[:4])] if len(content(text)) > 2 else [], need=("object", "place")
    )

    def judge(input: str, output: str, slots: object) -> Verdict:
        source = {w.lower() for w in content(input)}
        said = [w.lower() for w in words(output)]
        ok = 2 <= len(said) <= 5 and len(set(said)) == len(said) and all(w in source for w in said)
        fits = len(content(input)) > 2
        return Verdict(fits, fits and ok and len(said) < len(words(input)))

    return draw, judge


KINDS = [
    Kind("find_verb", "Grammar",
         "In this task you are given a sentence. Your task is to find the verb, the word for the action, and to "
         "write it in the form that it has in the sentence.",
         *part(verb_of),
         lines("""
         Find the verb.
         Which word [tells|says] what [is being done|the action is]?
         [Write|Copy] only the verb of this sentence.
         [Name|Give] the action word.
         Every sentence needs a verb. Which is the one here?
         What is the verb [in the sentence|here]?
         [Please|] extract the word for the activity.
         Pick out the [predicate|verb] as it stands.
         You get a sentence. Answer with its verb.
         One of these words is a doing word. [Write it down|Which]?
         [Mark|Underline] what the subject does, in one word if [you can|possible].
         My grammar homework asks for the verb. Can you [find|see] it?
         """),
         lines("""
         What is the verb in: {input}
         [Find|Name] the verb of this sentence: {input}
         {input} Which of these words is the verb?
         """)),
    Kind("find_adjective", "Grammar",
         "In this task you are given a sentence with one describing word. Your task is to find this adjective and "
         "write only that word.",
         *rule(adjective_of, kinds=("thing", "animal", "clothes", "vehicle")),
         lines("""
         Find the adjective.
         Which word describes [something|the thing] here?
         [Write|Copy] only the describing word.
         [Name|Give] the adjective [in|of] this sentence.
         What word tells you how something looks or is?
         [Please|] extract the word that describes.
         One word in it is neither noun nor verb but an adjective. Which?
         Pick the word that says what kind of thing it is.
         You get a sentence. Answer with its adjective.
         How is the thing or animal [described|called], in one word?
         For a grammar [test|class]: the adjective, please.
         [Search|Look] for a quality such as big, old or red.
         """),
         lines("""
         What is the adjective in: {input}
         [Find|Name] the describing word: {input}
         {input} Which word is the adjective?
         """)),
    Kind("names_in_sentence", "Extraction",
         "In this task you are given a sentence that mentions one or more people by name. Your task is to write all "
         "the names in their order, separated by commas.",
         *rule(all_names, need=("companion",), animal=False),
         lines("""
         [List|Write] the names of the people.
         Which people are [mentioned|named] here?
         [Find|Pick out|Extract] every person's name [in the text|].
         Who appears in this sentence? Give all names.
         [Copy|Collect] the names, separated by commas.
         I am sending invitations to everyone in this text. Whom do I invite?
         What are the people [in the sentence|here] called?
         Read the sentence and make a list of persons.
         [Please|] note all names that occur.
         Names only, in the order of the text.
         Whose names [do you see|can you read]?
         A reporter must [spell|know] the names. Write them.
         """),
         lines("""
         Which names occur in: {input}
         [List|Find] the people in: {input}
         {input} Who are the people here?
         """)),
    Kind("number_in_sentence", "Extraction",
         "In this task you are given a sentence that contains one number. Your task is to find the number and write "
         "only it.",
         *rule(number_in, kinds=("thing", "clothes", "food", "animal")),
         lines("""
         [Find|Write] the number in the sentence.
         Which number [occurs|do you see] here?
         [Copy|Extract] the number and leave out the rest.
         One word of the text is a number. [Which one|Write it]?
         [Give|Tell] me the only numeral [of|in] this text.
         For my statistics I [need|collect] the number.
         What figure is in this [line|sentence]?
         [Please|] pick out the numeral.
         You get a text with a number in it. Answer with that number.
         Numbers matter, words do not. What is left?
         [Search|Scan] the sentence for a number.
         """),
         lines("""
         Which number is in: {input}
         [Find|Copy] the number: {input}
         {input} What number do you read there?
         """)),
    Kind("animal_in_sentence", "Extraction",
         "In this task you are given a sentence in which one animal occurs. Your task is to find the animal and "
         "write its name.",
         *one_of(sorted(ANIMALS), kinds=("animal",)),
         lines("""
         Which animal is [it|mentioned]?
         [Find|Name|Give] the animal in the sentence.
         [Write|Copy] the word for the [beast|creature].
         A zoo keeper reads this. Which of his animals is in it?
         What creature [occurs|appears] here?
         [Tell|Show] me which animal the sentence [mentions|is about].
         There is a bird, fish, insect or other animal in the text. Write it.
         [Please|] extract the name of the animal.
         You get a sentence. Look for the animal.
         Only the animal, please, not the [people|person].
         One of the words names something that is alive and not a person. Which?
         """),
         lines("""
         Which animal is in: {input}
         [Find|Name] the animal: {input}
         {input} Which creature was that?
         """)),
    Kind("food_in_sentence", "Extraction",
         "In this task you are given a sentence that mentions a food or a drink. Your task is to write the food or "
         "drink.",
         *one_of(sorted(FOODS), kinds=("food",)),
         lines("""
         Which food is mentioned?
         [Find|Name|Give] the food or drink in this sentence.
         What is there to eat or drink in the text?
         [Write|Copy] the word for something edible.
         A cook reads this and thinks of one thing. [Which|What is it]?
         [Please|] extract the food.
         One word here belongs in the kitchen. Write that word.
         I am hungry. What does the sentence offer me?
         You get a sentence. Answer with its food.
         [Tell|Show] me what one could [taste|eat] here.
         [Look|Search] for fruit, vegetables, meat or drinks.
         """),
         lines("""
         Which food is in: {input}
         [Find|Name] the food: {input}
         {input} What could you eat or drink there?
         """)),
    Kind("job_in_sentence", "Extraction",
         "In this task you are given a sentence in which a person of some profession occurs. Your task is to write "
         "the profession.",
         *one_of(sorted(JOBS), kinds=("person",)),
         lines("""
         Which [job|profession] is mentioned?
         [Find|Name|Give] the profession in this sentence.
         What does one of these people do for a living?
         [Write|Copy] the word for the job.
         Somebody here has an occupation. [Which one|What is it]?
         [Please|] extract the occupation.
         How does the person in the text earn money?
         You get a sentence. Answer with the worker in it.
         Which kind of worker [occurs|appears] here?
         [Look|Search] for a doctor, a baker or another profession.
         A child asks which job this is about. What do you say?
         """),
         lines("""
         Which profession is in: {input}
         [Find|Name] the job: {input}
         {input} Which occupation was that?
         """)),
    Kind("keywords", "Extraction",
         "In this task you are given a sentence. Your task is to write two to five important words of it as "
         "keywords, separated by commas.",
         *keywords(),
         lines("""
         [Write|List|Give] the keywords.
         Which words are the most important [here|ones]?
         [Pick|Choose] a few key words [from|of] this sentence.
         Reduce the sentence to its important words, with commas.
         What would you type to search for this text?
         [Please|] tag this sentence with [two|three] or more of its words.
         Leave out the small words. What [remains|is left]?
         I want an index for this text. Which terms go in?
         For my notes I write only key terms. [Which|What should they be]?
         You get a sentence. Answer with a short list of terms from it.
         [Extract|Select] the words that carry the meaning.
         """),
         lines("""
         What are the keywords of: {input}
         [List|Give] the important words in: {input}
         {input} Which key terms does this have?
         """)),
    Kind("day_or_month", "Extraction",
         "In this task you are given a sentence that names a day of the week or a month. Your task is to write this "
         "day or month.",
         *one_of([*[d.lower() for d in DAYS], *[m.lower() for m in MONTHS]], need=("time",)), far=True),
    Kind("receiver", "Extraction",
         "In this task you are given a sentence in which someone gives, shows or sends a thing to a person. Your "
         "task is to write the name of the person who gets it.",
         *part(lambda s: [s.recipient], need=("recipient",)), far=True),
]  # fmt: skip
