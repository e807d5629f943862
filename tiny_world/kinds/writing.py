"""Open writing with slots: stories, poems, descriptions, slogans, weather, diaries, rules."""

from __future__ import annotations

from random import Random

from tiny_world import writing_texts as texts
from tiny_world.kind import Kind
from tiny_world.phrases import worded, written

KINDS: list[Kind] = [
    worded("animal_story", "Writing", written(texts.story, 10, 45), """
        In this task you are given an animal and a place. Your task is to write a very short story of two
        sentences about that animal in that place.

        Write a [very short|two-sentence] story about {animal} in {place}.
        Tell [me|us] a [little|short] tale: {animal}, and everything happens in {place}.
        What could happen to {animal} in {place}? [Tell|Write] a short story.
        [Make|Think] up a bedtime story with {animal}. It should take place in {place}.
        Invent a story that is set in {place} and has {animal} as its hero.
        My daughter wants a story about {animal} who comes to {place}. Two sentences are enough.
        Story time! The hero is {animal} and the scene is {place}.
        Once upon a time there was {animal} in {place}. [Go on|Tell the story].
        Please write two sentences in which {animal} is in {place}.
        Compose a [fable|tale] about {animal}. Let it play in {place}.
        Use {place} and {animal} in a short story for children.
        [Describe|Tell] an adventure of {animal} in {place}.
        """),
    worded("persons_job", "Writing", written(texts.job, 8, 40), """
        In this task you are given the name of a person and the person's job. Your task is to describe the
        person and the work in one or two sentences.

        Describe {name}, who is {job}.
        What does {name} do all day as {job}? [Write|Answer in] two sentences.
        {name} is {job}. [Write|Say] something about this work.
        Write about the [work|working day] of {name}, who is {job}.
        [Introduce|Present] {name} to the class and tell them what {job} does.
        Tell [us|me] how {name} works as {job}.
        A newspaper wants two sentences on {name}, who works as {job}.
        [Give|Write] a short description of {name} at work. The job is {job}.
        Explain what it means that {name} is {job}.
        Imagine {name} as {job}: what is the work like?
        How does {name} spend the day when {name} is {job}?
        Where does {name} work as {job}, and what for?
        """),
    worded("describe_animal", "Writing", written(texts.beast, 7, 35, ("animal",), texts.beast_check), """
        In this task you are given the name of an animal and a part of its life: home, body, food or family.
        Your task is to write two sentences that describe it.

        Describe the {part} of a {animal}.
        Write two [true |]sentences about the {animal} and its {part}.
        What do you know about the {part} of the {animal}?
        [Tell|Teach] a child something about the {animal}: its {part}.
        For an animal book, write a short text on the {part} of the {animal}.
        I have never seen a {animal}. Tell me about its {part}.
        A page about {animal}s needs some lines on their {part}. [Write|Add] them.
        [Explain|Say] what is special about the {part} of the {animal}.
        Give [some|a little] information on the {animal}. The topic is its {part}.
        Animal facts, please: the {animal} and its {part}.
        How would you describe a {animal}? [Speak|Write] about the {part}.
        The zoo needs a sign for the {animal} that tells visitors about its {part}.
        """),
    worded("little_poem", "Writing", written(texts.poem, 9, 35, ("topic",)), """
        In this task you are given a mood and a topic. Your task is to write a little poem of one or two lines
        about the topic in that mood.

        Write a {mood} poem about the {topic}.
        Compose [two|a few] {mood} verses on a {topic}.
        Can you [make|write] a {mood} rhyme with the word {topic}?
        A {mood} little poem, please. It should be about the {topic}.
        [Be|Play] a poet: describe the {topic} in a {mood} way.
        Sing a {mood} song about a {topic}.
        For a birthday card I need a {mood} line of poetry about a {topic}.
        The {topic} is the topic. Write [verses|a verse] that sound {mood}.
        [Create|Invent] a {mood} nursery rhyme in which a {topic} appears.
        Poem wanted: {mood}, with a {topic} in it.
        Let us have a {mood} couplet. The subject is the {topic}.
        Find {mood} poetic words for the {topic}.
        """),
    worded("slogan", "Writing", written(texts.slogan, 4, 20), """
        In this task you are given the name of a product that a shop sells. Your task is to write a catchy
        advertising slogan for the product in one sentence.

        Write a slogan for a {product}.
        [Invent|Create] a catchy advertising line for our {product}.
        How would you advertise a {product} in one sentence?
        We sell a {product}. Give us a slogan.
        [Make|Think up] an advertisement that makes people want a {product}.
        A shop needs a sign that praises its {product}. What should be on it?
        Advertise this product: {product}.
        Which sentence would [sell|help to sell] a {product}?
        Please help with marketing: one [short|lively] line about a {product}.
        [Convince|Persuade] people with a single sentence to buy the {product}.
        Find a good motto for the {product} of our firm.
        A radio ad for the {product} must be very short. Write it.
        """),
    worded("weather_report", "Writing", written(texts.report, 8, 35, None, texts.weather_check), """
        In this task you are given a kind of weather, a city and a day. Your task is to write a short weather
        report for that city and that day.

        Write a weather report for {city}: {day} is {weather}.
        It is {weather} in {city}. Give the forecast for {day}.
        You speak on the radio. Tell the people of {city} that {day} will be {weather}.
        [Describe|Report on] a {weather} {day} in {city}.
        What does the weather report say if {city} has a {weather} {day}?
        Make a forecast for {city} on {day}, which is {weather}.
        Tell me about the {weather} weather that {city} gets on {day}.
        On {day} the sky over {city} looks {weather}. Write that for the newspaper.
        [Announce|Present] {weather} weather for {day} to the listeners in {city}.
        How will the weather be in {city} on {day}? It is going to be {weather}.
        A tourist plans to visit {city} on {day}, which is {weather}. Report the weather.
        The news needs the weather ({weather}) of {city} for {day}.
        """),
    worded("diary", "Writing", written(texts.diary, 9, 45, ("event",)), """
        In this task you are given a person and an event. Your task is to write a short diary entry in which
        this person tells about the event of the day.

        Write a diary entry of {person} about {event}.
        Imagine you are {person}. What do you write in your diary after {event}?
        Dear diary... continue as {person} who has seen {event}.
        [Pretend|Suppose] that you are {person} and tell your diary of {event}.
        Today there was {event}. Write about it in the diary of {person}.
        How would {person} note {event} in a journal?
        [Write|Give] two lines from the diary of {person}. Mention {event}.
        A page from the journal of {person}: the topic is {event}.
        After {event}, {person} sits down and writes. Write the words.
        Put yourself in the shoes of {person} and record {event} of today.
        [Make|Think] up the notes that {person} keeps about {event}.
        What did {event} mean to {person}? Answer in diary style.
        """),
    worded("rule_for_place", "Writing", written(texts.rule, 6, 25), """
        In this task you are given a group of people and a place. Your task is to write one rule that these
        people must follow in that place.

        Write a rule for {who} in the {place}.
        What must {who} not do in the {place}? Give one rule.
        The {place} needs a sign with a rule for {who}. [Write|Make] it.
        [Invent|Think of] one law that {who} have to follow at the {place}.
        How should {who} behave in the {place}?
        You are the boss of the {place}. Tell {who} one [important |]rule.
        What is [allowed or forbidden|forbidden] for {who} at the {place}?
        House rules of the {place}: add one for {who}.
        {who} come to the {place}. Which rule do they [get|hear]?
        Make the {place} a better place: set a rule that {who} must obey.
        Remind {who} of a rule of the {place}.
        [Give|State] a good rule. It is meant for {who} who visit the {place}.
        """),
    worded("opening_line", "Writing", written(texts.opening, 7, 30, ("hero",)), """
        In this task you are given a sort of story and its hero. Your task is to write the first sentence of
        that story, in which the hero appears.

        Write the first [sentence|line] of a {sort} story about {hero}.
        How could a {sort} story with {hero} begin?
        [Begin|Start] a {sort} story. The hero is {hero}.
        Give me an opening line. I want to write a {sort} book about {hero}.
        A writer cannot begin a {sort} novel on {hero}. Help with one sentence.
        Once upon a time... or a better beginning for a {sort} tale of {hero}?
        [Invent|Create] only the beginning: a {sort} tale, and {hero} is in it.
        What is the opening of a {sort} film in which {hero} plays the main part?
        Chapter one of a {sort} novel introduces {hero}. Write how it opens.
        Make readers curious about {hero} in the first words of a {sort} story.
        The book is a {sort} story and it tells of {hero}. Write its very first sentence.
        """),
    worded("why_like", "Reasoning", written(texts.like, 6, 25, None, texts.has_reason), """
        In this task you are given the name of a person and something that the person likes. Your task is to
        write one sentence that gives a reason why.

        Why does {name} like {hobby}?
        Give a reason why {name} likes {hobby}.
        {name} loves {hobby}. [Explain|Say] why in one sentence.
        What makes {name} so fond of {hobby}?
        [Write|Think of] a sentence with because: {name}, {hobby}.
        Find [an explanation|a good reason] for {name} to enjoy {hobby}.
        We wonder what {name} sees in {hobby}. Tell us.
        For what reason might {name} prefer {hobby} to other things?
        [Complete|Finish] the thought: {name} likes {hobby} because...
        How would {name} explain a love of {hobby}?
        Everybody knows that {name} enjoys {hobby}. Name the cause.
        """),
    worded("country_fact", "World Knowledge", written(texts.country, 4, 20, ("country",), texts.country_check), """
        In this task you are given a topic (capital, continent, language or money) and a country. Your task is
        to write one sentence with that fact about the country.

        Write one sentence about the {part} of {country}.
        Tell me a fact about {country}: its {part}.
        What do you know about {country} and its {part}?
        [State|Name] the {part} of {country} in a full sentence.
        I travel to {country} soon. What should I know about the {part}?
        For a [lesson|talk] on {country}, give a fact about its {part}.
        A travel book tells of {country}. Write what it says on the {part}.
        A geography fact about {country} and its {part}, please.
        [Teach|Tell] the class about the {part} in {country}.
        Complete the page on {country} with a sentence on its {part}.
        Which {part} does {country} have? Use a whole sentence.
        Inform a tourist about {country}, above all about the {part}.
        """),
]  # fmt: skip


def writing_prose(rng: Random) -> str:
    """A text of daily life: stories, people at work, weather, diary lines."""
    makers = (texts.story, texts.job, texts.beast, texts.report, texts.diary, texts.like, texts.country)
    return " ".join(make(rng)[1] for make in rng.sample(makers, 2))


def opinion_prose(rng: Random) -> str:
    """Rules, openings, slogans and verses, one after the other."""
    makers = (texts.rule, texts.opening, texts.slogan, texts.poem, texts.like)
    return " ".join(make(rng)[1] for make in rng.sample(makers, 3))


PROSE = [writing_prose, opinion_prose]
