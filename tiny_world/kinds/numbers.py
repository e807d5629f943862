"""Small numbers: sums, comparisons, sequences, counting, prices, clock times, ages."""

from __future__ import annotations

from random import Random

from tiny_world.kind import Kind, by_rule
from tiny_world.number_rules import (
    age_of,
    clock_words,
    count_of,
    draw_age,
    draw_clock,
    draw_difference,
    draw_few,
    draw_gap,
    draw_parity,
    draw_part,
    draw_price,
    draw_sequence,
    draw_sum,
    draw_things,
    fill_gap,
    next_in_row,
    number_rule,
    part_of,
    two_addends,
    written_list,
)
from tiny_world.phrases import COUNTED_FOODS, worded
from tiny_world.world import NUMBER_WORDS, PEOPLE, THINGS, article, join

KINDS: list[Kind] = [
    worded("add", "Numbers", number_rule(draw_sum, range(2, 3), sum), """
        In this task you are given two small numbers. Your task is to add the two numbers and to write their sum
        as a number.

        Add the [two |]numbers.
        What is the sum?
        [Work out|Calculate] the sum of both numbers.
        How much is it [together|in all]? Add the numbers and [give|write] the result.
        You [get|see] two numbers. [Put them together|Write their sum].
        Do this addition [for a child|for me].
        [First grade maths|Maths for children]: what do you get when you add these?
        Find the total [of the two numbers|].
        I cannot add [well|]. Please [tell me the sum|solve the addition].
        Solve [a|this] simple plus exercise.
        Count both numbers together and write only the answer.
        """, inline="""
        Solve the addition {input}.
        {input}: how much is that together?
        Calculate the sum: {input}
        Add up {input}.
        """),
    worded("subtract", "Numbers",
           number_rule(draw_difference, range(2, 3), lambda n: n[0] - n[1] if n[0] >= n[1] else None),
           """
        In this task you are given two small numbers with a minus between them. Your task is to take the second
        away from the first and write the difference.

        Subtract the second number from the first [one|].
        What is the difference [between the numbers|]?
        Take [one number|the smaller number] away and [write|say] what is left.
        [Solve|Do] the subtraction.
        How much remains [after you take the second number away|when the second is gone]?
        [Work out|Calculate] this minus exercise.
        You see a minus between two numbers. [Give|Write] the result.
        One number minus another: [tell me|find] the answer.
        A child learns to subtract. Show the right [result|answer].
        [Count back|Count backwards] from the first number and write where you end.
        Maths homework: subtraction with [small numbers|numbers up to twenty].
        What number is left over?
        """, inline="""
        Subtract: {input}
        What is left if you do {input}?
        Work out the difference {input}.
        Give the result of the subtraction {input}.
        """),
    worded("part_of_number", "Numbers", by_rule(draw_part, part_of), """
        In this task you are given a number. Your task is to work out the asked part or multiple of it (half,
        double, or ten more) and write it as a number.

        What is {part} the number?
        [Calculate|Work out] {part} this number.
        Write {part} what you are given.
        You get a number. [Find|Tell me] {part} it.
        [Please give|Give] me {part} the following number.
        I have some coins and want {part} that. How many is it?
        For a maths [test|quiz], find {part} the given number.
        How much is {part} it? [Answer|Reply] with a number.
        [Take|Look at] the number and then say {part} that.
        A recipe needs {part} this amount. Write the new [number|amount].
        My teacher asks for {part} a number. Help me.
        """, inline="""
        What is {part} the number {input}?
        Calculate {part} the number {input}.
        Tell me {part} the number {input}, please.
        How much is {part} the amount {input}?
        """),
    worded("larger_number", "Numbers",
           number_rule(lambda r: " and ".join(map(str, r.sample(range(1, 100), 2))), range(2, 3), max),
           """
        In this task you are given two numbers. Your task is to compare the two numbers and write the one that
        is larger.

        Which [of the two |]numbers is larger?
        Compare the two numbers and write the bigger [one|].
        [Give|Tell] me the greater of both numbers.
        You get two numbers. [Write|Copy] only the larger one.
        Two children count their [coins|apples]. [Write|Say] the number of the one who has more.
        [Pick|Choose] the higher number.
        What is the maximum [of the pair|here]?
        Which comes later when you count?
        More or less: [find|name] the number that is more.
        Decide which of the two is bigger [and write it|].
        """, inline="""
        Which is larger, {input}?
        Compare {input} and write the bigger number.
        Of {input}, which number is greater?
        Two scores: {input}. Write the higher one.
        """),
    worded("odd_or_even", "Numbers",
           number_rule(draw_parity, range(1, 2), lambda n: "Odd" if n[0] % 2 else "Even"),
           labels="Odd,Even", text="""
        In this task you are given a number, perhaps with things that are counted. Your task is to say if the
        number is odd or even, with the label Odd or Even.

        Is the number odd or even?
        Odd or even?
        Can it be shared equally by two (Even), or is one left over (Odd)?
        [Label|Mark] the number as Odd or Even.
        [Look at the last digit and say|Say] whether it is an odd or an even number.
        [Sort|Put] numbers into Odd and Even.
        Does [it|the number] end in 0, 2, 4, 6 or 8? Then write Even, otherwise Odd.
        You [get|read] a number. Answer Odd or Even.
        Two players share everything. Will it work? Write Even if yes, Odd if not.
        [Tell|Show] the class what kind of number it is, Odd or Even.
        Divide by two in your head and [decide|choose]: Odd or Even.
        Check if two goes into it. [Use|Write] the words Even and Odd.
        """, inline="""
        Is {input} odd or even?
        Odd or Even: {input}
        Say whether {input} makes an odd or an even number.
        Can two friends share {input} equally? Write Even or Odd.
        """),
    worded("next_number", "Numbers", number_rule(draw_sequence, range(3, 8), next_in_row), """
        In this task you are given a sequence of numbers with equal steps. Your task is to continue the sequence
        by writing the next number.

        What number comes next [in the sequence|]?
        Continue the sequence with one number.
        [Write|Find] the next number of the row.
        The numbers follow a rule. [Use|Guess] it to write the one that follows.
        [Look at|Study] the steps between the numbers and go one step further.
        Which number [follows|comes after the last one]?
        A puzzle for children: what is the next number?
        You get some numbers in a row. [Say|Tell me] how it goes on.
        [Extend|Complete] the number pattern.
        Count on in the same way and stop after one number.
        Number sequence: [give|add] the missing end.
        [Find|See] the pattern and predict what follows.
        """, inline="""
        What comes next: {input}?
        Continue the sequence {input} with one number.
        Which number follows {input}?
        Find the next number: {input}, ...
        """),
    worded("missing_number", "Numbers", by_rule(draw_gap, fill_gap), """
        In this task you are given a row of numbers in which one number is replaced by a question mark. Your
        task is to find the missing number.

        [Find|Which is] the missing number[| in the row]?
        Which number should stand in place of the question mark?
        [Replace|Fill in] the question mark with a number.
        One number has been rubbed out. [Write|Guess] it.
        Fill the gap in the sequence.
        There is a hole in [this|the] row of numbers. What [fits|belongs] there?
        [Tell|Show] me the number hidden behind the sign ?.
        You see a counting row with a gap. [Complete|Mend] it and write only the lost number.
        My sister forgot a number when she counted. [Which one was it|Which did she forget]?
        [Solve|Work out] what ? must be.
        The row goes up by equal steps. Give the value that is not shown.
        What was left out [between the numbers|of this sequence]?
        """),
    worded("sort_numbers", "Ordering", number_rule(draw_few, range(3, 6), lambda n: written_list(sorted(n))), """
        In this task you are given some numbers. Your task is to put the numbers in order from the smallest to
        the largest, separated by commas.

        Sort the numbers from [small to large|smallest to largest].
        Put these numbers in [the right|rising] order.
        Arrange the numbers so that the smallest comes first.
        [Write|List] the numbers again, beginning with the lowest.
        [Order|Rank] the numbers [upwards|from low to high].
        The numbers are mixed up. [Tidy|Sort] them, least first.
        You [get|are given] a few numbers. Write them in ascending order.
        Some pupils must line up by number, lowest in front. Write their [line|order].
        In what order do you count these? Use commas.
        [Begin|Start] with the least and end with the greatest number.
        Could you sort [this|the number] list, please?
        From the lowest to the highest: [rearrange|rewrite] the numbers.
        """, inline="""
        Sort {input} from smallest to largest.
        Put {input} in rising order.
        Arrange these numbers, the smallest first: {input}
        In ascending order, how do you write {input}?
        """),
    worded("smallest_number", "Numbers", number_rule(draw_few, range(3, 6), min), """
        In this task you are given a list of numbers. Your task is to find the smallest number of the list and
        to write it alone.

        What is the smallest number [in the list|]?
        [Find|Pick] the lowest of these numbers.
        Which number is the least?
        [Write|Give] the minimum of the list.
        You get a few numbers. Copy only the smallest.
        [Choose|Name] the number that is less than all the others.
        The cheapest wins. [Which|What] price is the lowest?
        From several numbers, [pick out|select] the tiniest.
        Which [one|number] would you count first?
        [Look through|Check] the list and report its smallest value.
        The minimum [of these|of the numbers], please.
        """, inline="""
        Which number is the smallest: {input}?
        Find the minimum of {input}.
        Among {input}, write the lowest number.
        What is the least of {input}?
        """),
    worded("count_items", "Counting", by_rule(draw_things, count_of), """
        In this task you are given a list of items separated by commas. Your task is to count the items and to
        write how many there are.

        How many [items|things|words] are in the list?
        Count the items [of the list|].
        [Tell|Show] me the number of things [that are named|here].
        You get a list. [Write|Say] how long it is.
        [Count|Check] what is on the shelf and write the number.
        What number of items does [this|the] list have?
        I am packing a box and must know the count. How many things go in?
        [Give|Write] the length of the list as a number.
        How many commas plus one? In other words, count the entries.
        A teacher reads these words aloud. How many words did the class hear?
        Go through the list with your finger and count.
        """, inline="""
        How many things are these: {input}?
        Count the items: {input}
        I bought {input}. How many items is that?
        How long is the list {input}?
        """),
    worded("price_total", "Numbers", number_rule(draw_price, range(2, 3), lambda n: f"{sum(n)} coins"), """
        In this task you are given the prices of two things. Your task is to work out the total price and to
        write it in coins.

        How much do both things cost together?
        [Work out|Find] the total price.
        What must the customer pay [in all|in the shop]?
        [Add|Sum] the prices and write the total in coins.
        How many coins [does somebody need|do I need] to buy both?
        A cashier has to say the total. [What does he say|Say it for her].
        Read about two prices. [Give|Tell] the bill.
        [Calculate|Write] the cost of the whole purchase.
        You know two prices. How expensive are the things together?
        [Make|Write] the bill for this shopping.
        Tell how many coins are spent altogether.
        """),
    worded("clock_words", "Numbers", by_rule(draw_clock, clock_words), """
        In this task you are given a clock time in digits, such as 4:15. Your task is to write the time in
        words, as people say it.

        What time is it? Write [the clock time|it] in words.
        [Say|Write] the time in words.
        How do you read this clock?
        [Turn|Change] the digits of the clock into spoken words.
        Tell the time as [people say it|you would say it].
        A child looks at a digital clock. Help and [say|read] the hour in words.
        [Express|Put] the clock time with words like past, to, half and quarter.
        [Spell out|Read aloud] the time.
        You see the time in digits. How would [you|a friend] say it?
        Someone asks you for the time. Answer in words, not in digits.
        Which words do we use for this time of day?
        When does the train leave? Write the hour and minutes in words.
        """, inline="""
        Write {input} in words.
        How do you say the time {input}?
        The clock shows {input}. What time is it in words?
        Read the time {input} aloud.
        """),
    worded("age_puzzle", "Reasoning", by_rule(draw_age, age_of), """
        In this task you are given a puzzle about the ages of two people. Your task is to work out how old the
        second person is and write the age as a number.

        How old is the second person?
        Solve the age puzzle [and write a number|].
        [Find|Work out] the age that is not told.
        Read about two people. [Give|Say] the age of the other one.
        One age is known. [Use it to find|Calculate] the other age.
        What age is the person who is named last?
        [Tell|Show] me how many years old the other [child|person] is.
        A riddle about older and younger: write the missing age.
        You know one age and the difference. What is the [second|other] age?
        How many candles are on the other person's [birthday |]cake?
        Add or take away years to [answer|solve] this.
        Age question: [answer|reply] with one number.
        """),
    worded("middle_number", "Reasoning", number_rule(
        lambda r: written_list(r.sample(range(1, 40), 3)), range(3, 4), lambda n: sorted(n)[1]), """
        In this task you are given three numbers. Your task is to find the number that is neither the smallest
        nor the largest and to write it.

        """),
]  # fmt: skip


def number_prose(rng: Random) -> str:
    """Sums, comparisons and sequences told in words."""
    a, b = two_addends(rng)
    low, high = sorted(rng.sample(range(1, 60), 2))
    step = rng.choice((1, 2, 3, 5, 10))
    n = rng.randint(1, 40)
    row = [low + step * i for i in range(5)]
    facts = [
        f"{a} plus {b} is {a + b}.", f"{a} + {b} = {a + b}.", f"{a + b} minus {b} is {a}.", f"{a + b} - {a} = {b}.",
        f"{high} is larger than {low}.", f"{low} is smaller than {high}.",
        f"Of {high + step}, {low} and {high} the number {high} is in the middle.",
        f"The double of {n} is {2 * n}.", f"Half of {2 * n} is {n}.", f"Ten more than {n} is {n + 10}.",
        f"{n} is an {'odd' if n % 2 else 'even'} number.",
        f"Count on by {step}: {written_list(row)}.", f"After {written_list(row[:4])} comes {row[4]}.",
    ]  # fmt: skip
    return " ".join(rng.sample(facts, 4))


def shop_prose(rng: Random) -> str:
    """Prices, counts, ages and clock times in daily life."""
    a, b = two_addends(rng)
    one, two = rng.sample(PEOPLE, 2)
    things = rng.sample(sorted({*COUNTED_FOODS, *THINGS}), rng.randint(2, 6))
    time = draw_clock(rng)
    spoken = (clock_words(time, {}) or ("",))[0]
    facts = [
        f"{one} bought {article(things[0])} for {a} coins and {article(things[1])} for {b} coins, so {one} paid "
        f"{a + b} coins.",
        f"On the list were {join(things)}: {NUMBER_WORDS[len(things)]} things, so {one} counted {len(things)}.",
        f"{one} is {a} years old and {two} is {b} years older, so {two} is {a + b}.",
        f"{two} is {a + b} and {one} is {b} years younger, so {one} is {a}.",
        f"The clock says {time}; people call it {spoken}.", f"At {spoken} the clock shows {time}.",
    ]  # fmt: skip
    return " ".join(rng.sample(facts, 3))


PROSE = [number_prose, shop_prose]
