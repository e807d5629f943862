"""Lists and their order: naming, picking, the odd one out, sorting, reversing, shopping, packing, steps."""

from __future__ import annotations

from random import Random

from tiny_world import list_rules as rules
from tiny_world.kind import Kind, by_rule
from tiny_world.phrases import worded
from tiny_world.world import join

_DISHES = {k: v.split(",") for k, v in rules.DISHES.items()}
_KIT = {k: v.split(",") for k, v in rules.KIT.items()}

KINDS: list[Kind] = [
    worded("name_members", "Lists", rules.from_table("category", rules.CLASSES, (2, 3, 4, 5)), """
        In this task you are given a number and the name of a category. Your task is to list that many different
        members of the category, separated by commas.

        Name {count} {category}.
        [List|Write down] {count} different {category}.
        Can you think of {count} {category}?
        Give [me|us] {count} examples of {category}.
        I need {count} {category} for a [game|quiz]. Which ones do you know?
        Which {category} do you know? [Write|Tell me] {count}.
        [Make|Write] a list with {count} {category} in it.
        What are {count} {category} that every child knows?
        [Please enumerate|Enumerate] {count} {category}, with commas between them.
        A crossword asks for {category}. Suggest {count} of them.
        Choose any {count} {category} and write their names.
        Fill a list of length {count} with {category}.
        From all {category}, pick {count}.
        """),
    worded("pick_category", "Lists", by_rule(rules.draw_pick, rules.pick_out), """
        In this task you are given a mixed list and the name of a category. Your task is to write only the items
        of the list that belong to the category.

        Pick [out |]the {category} from the [mixed |]list.
        Which of these words are {category}?
        Find all {category} [among the words|in the list].
        [Copy|Keep] only the {category} and leave out the rest.
        You get a mixed list. Select the {category}.
        [Extract|Take] the {category} from these items.
        I am only interested in {category}. Which items [fit|remain]?
        [Sort out|Filter] the list: only {category} may stay.
        Some of the words are {category}. Write them.
        Read the words aloud, but only if they are {category}.
        What {category} does the list [name|contain]?
        Remove everything that does not belong to the {category}.
        """),
    worded("odd_one_out", "Reasoning", by_rule(rules.draw_odd, rules.odd_one), """
        In this task you are given a list of words. All words but one belong together. Your task is to find the
        odd one out and to write it.

        Which word does not belong [with the others|]?
        Find the odd one out.
        [One word|One item] does not fit in the group. Which [is it|one]?
        [Write|Name] the word that is different from the rest.
        [Pick|Choose] the intruder [in|from] the list.
        All words but one have something in common. Tell me the exception.
        What must be taken away so that the others belong together?
        You see a few words. Spot the one that is not of the same kind.
        [Look|Search] for the misfit.
        In a set of words something is wrong. Give the [word|thing] that should leave.
        Brain teaser: which is the stranger among these?
        Cross out one word to make a [proper|real] group. Which one?
        """, inline="""
        Which is the odd one out: {input}?
        One of these does not belong: {input}
        Find the word that does not fit among {input}.
        Here are some words: {input}. Which one is different from the rest?
        """),
    worded("alphabetical", "Ordering", rules.on_items(lambda i: ", ".join(sorted(i, key=str.lower))), """
        In this task you are given a list of words. Your task is to sort the words in alphabetical order and to
        write them with commas.

        Sort the words alphabetically.
        Put the words into alphabetical order.
        [Arrange|Order] the list from A to Z.
        In which order do these words stand in a dictionary?
        [Write|Copy] the words again, sorted by their first letters.
        A librarian needs these titles in the order of the alphabet. [Help|Do it].
        Rewrite the list so that it follows the ABC.
        You get some [words|names of things]. Sort them as in a phone book.
        Which comes first in the alphabet, and which next? List them.
        Alphabetical order, please.
        [Begin|Start] with the word nearest to A and end with the one nearest to Z.
        Tidy up the words: A before B, B before C and so on.
        """, inline="""
        Sort alphabetically: {input}
        Put {input} into alphabetical order.
        In what order are {input} in the dictionary?
        Arrange from A to Z: {input}
        """),
    worded("reverse_list", "Ordering", rules.on_items(lambda i: ", ".join(reversed(i))), """
        In this task you are given a list of words. Your task is to reverse the list, so that the last word
        comes first and the first word comes last.

        Reverse the list.
        Write the words in [reverse|the opposite] order.
        Turn the list around, the last word first.
        [Read|Repeat] the items backwards.
        Start with the final item and [go back|move] to the beginning.
        What is the list from [end to start|back to front]?
        The queue turns round. Who stands where now? Write the new order.
        You [see|get] a list. Flip its order.
        Copy the words from right to left.
        Make the first item the last and the last one the first.
        Say it backwards, word by word.
        A stack of things is unpacked from the top. List them from the last to the first.
        """, inline="""
        Reverse this list: {input}
        Write {input} backwards, word by word.
        What is {input} in reverse order?
        Turn the order around: {input}
        """),
    worded("item_at", "Extraction", by_rule(rules.draw_end, rules.end_item), """
        In this task you are given a list of words and a position (first, second or last). Your task is to write
        the item that stands at that position.

        What is the {which} item of the list?
        [Write|Copy] the {which} word.
        Which thing is named {which}?
        Give me only the {which} [item|element].
        [Find|Take] the {which} entry and leave the others.
        From this row of words, say the {which} one.
        You [hear|get] a list. Repeat what was {which}.
        [Look|Check] which word stands {which} in line.
        Tell us the {which} thing that is mentioned.
        The {which} item, please.
        I forgot what came {which}. [Remind me|What was it]?
        Name what the {which} place of the list holds.
        """, inline="""
        What is the {which} item in this list: {input}?
        Write the {which} word of these: {input}
        In the row {input}, which is named {which}?
        Which thing is {which} in line here: {input}?
        """),
    worded("drop_double", "Lists", by_rule(rules.draw_twice, rules.each_once), """
        In this task you are given a list in which a word appears twice. Your task is to remove the duplicate
        and to write the list with each word once.

        Remove the duplicate from the list.
        [Write|Copy] the list with every word only once.
        One item is in the list twice. [Delete|Drop] the second.
        Clean up the list: no [repeats|repetitions].
        Keep one of each [thing|item].
        Somebody wrote a word two times. Correct the list.
        Which different words are there? [List|Name] them in the same order.
        [Strike|Leave] out what was [already said|said before].
        You get a list with a double word. Give the list without it.
        My shopping list repeats itself. [Mend|Shorten] it.
        Make all entries unique.
        Get rid of the word that comes again.
        """, inline="""
        Remove the duplicate: {input}
        Write {input} with each word only once.
        Which different things are in {input}?
        Clean this list of repeats: {input}
        """),
    # too few dishes and trips for evaluation
    worded("shopping_list", "Lists", rules.from_table("dish", _DISHES, (2, 3, 4, 5)), """
        In this task you are given a number and the name of a dish. Your task is to write a shopping list with
        that many things that you need to make the dish.

        Write a shopping list of {count} things for {dish}.
        What do I need to make {dish}? [Name|List] {count} ingredients.
        I want to cook {dish}. Tell me {count} things to buy.
        Which {count} foods go into {dish}?
        [List|Give] {count} ingredients of {dish}.
        We are making {dish} tonight. Send me to the shop for {count} things.
        A cook prepares {dish}. Name {count} foods on the kitchen table.
        For {dish} you [need|use] several foods. Say {count} of them.
        Going shopping for {dish}: put {count} items on the list.
        How is {dish} made? Just name {count} ingredients.
        Help me to buy food for {dish}, {count} items in all.
        """),
    worded("packing_list", "Lists", rules.from_table("trip", _KIT, (2, 3, 4, 5)), """
        In this task you are given a number and a kind of trip or day. Your task is to write a packing list with
        that many things to take along.

        Write a packing list of {count} things for {trip}.
        What should I pack for {trip}? [Name|List] {count} things.
        Which {count} things do you take along for {trip}?
        My bag for {trip} is empty. Put {count} useful things in it.
        [Tell|Show] me {count} things to bring for {trip}.
        Do not forget anything for {trip}! List {count} items.
        A family prepares for {trip}. What are {count} things they pack?
        Name {count} objects that are useful for {trip}.
        Packing for {trip}: give {count} ideas.
        There is room for {count} things in my bag. It is for {trip}.
        What does a clever person carry for {trip}? Give {count} things.
        """),
    worded("steps", "Lists", (rules.draw_steps, rules.judge_steps), """
        In this task you are given a daily activity and the listener. Your task is to explain to the listener in
        three short steps how to do the activity.

        How do you {task}? [Tell|Explain it to] {who} in three steps.
        Explain to {who} how to {task}.
        Write three steps that show {who} how to {task}.
        What must {who} do to {task}?
        [Teach|Help] {who} to {task}, step by step.
        {who} wants to {task}. Give a short guide.
        Step by step: how can {who} {task}?
        List what to do, one thing after another, when {who} wants to {task}.
        Please give {who} some easy steps to {task}.
        In which order do you work when you {task}? Tell {who}.
        Describe for {who} the way to {task}.
        """),
    worded("order_by_size", "Ordering", by_rule(rules.draw_sizes, rules.by_size), """
        In this task you are given some animals. Your task is to sort the animals by their size and to begin
        with the smallest one.

        Sort the animals by size, the smallest first.
        Put these animals in order from small to large.
        Which animal is the smallest, which is next? [Order|List] them.
        [Arrange|Line up] the animals from the tiniest to the biggest.
        The animals stand in a row by size. Write the row.
        [Order|Rank] the beasts by how big they are.
        You get three animals. Begin with the smallest and end with the largest.
        A zoo director sorts the animals by [their size|height]. What is the list?
        From little to big, please: sort the animals.
        Compare the size of the animals and write them in rising order.
        Who is small, who is medium, who is large? Give the animals in that order.
        """, inline="""
        Sort by size, the smallest first: {input}
        Order {input} from small to large.
        Line up {input} by size.
        From the smallest to the largest animal, sort {input}.
        """),
    worded("last_two", "Lists", rules.on_items(lambda i: ", ".join(i[-2:])), """
        In this task you are given a list of words with commas. Your task is to write only the last two items of
        the list, in the same order.
        """),
]  # fmt: skip


def list_prose(rng: Random) -> str:
    """The members of a class, and a word that does not belong to them."""
    name = rng.choice(sorted(rules.CLASSES))
    members = rng.sample(rules.CLASSES[name], min(4, len(rules.CLASSES[name])))
    other = rng.choice([c for c in rules.APART if not set(rules.CLASSES[c]) & set(rules.CLASSES[name])])
    stranger = rng.choice(rules.CLASSES[other])
    low = sorted(members, key=str.lower)
    return rng.choice((
        f"There are many {name}: {join(members)}. {stranger.capitalize()} is not among the {name}.",
        f"{join(members)} are {name}. In a dictionary they stand like this: {join(low)}.",
        f"When people speak of {name}, they think of {join(members)}. Backwards the row is {join(members[::-1])}.",
        f"The last two of {join(members)} are {join(members[-2:])}. All of them are {name}; {stranger} is not.",
    ))  # fmt: skip


def bag_prose(rng: Random) -> str:
    """What people pack, buy and do, step by step."""
    dish, trip, task = rng.choice(sorted(_DISHES)), rng.choice(sorted(_KIT)), rng.choice(sorted(rules.STEPS))
    animals = rules.items_of((rules.by_size(rules.draw_sizes(rng), {}) or ("",))[0])
    facts = (
        f"For {dish} you need {join(rng.sample(_DISHES[dish], 4))}.",
        f"For {trip} people take along {join(rng.sample(_KIT[trip], 4))}.",
        f"To {task}, do this: {rules.STEPS[task]}",
        f"The {animals[0]} is small, the {animals[1]} is bigger, and the {animals[2]} is the biggest.",
    )
    return " ".join(rng.sample(facts, 3))


PROSE = [list_prose, bag_prose]
