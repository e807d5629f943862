"""Labels of sentences: sentiment, emotion, topic, tone, intent, time and the like."""

from __future__ import annotations

from random import Random

from tiny_world.kind import Kind
from tiny_world.label_texts import EMOTION, FORMALITY, INTENT, MANNERS, SENTIMENT, SPAM, TENSE, TOPIC, URGENCY
from tiny_world.phrases import lines, paragraph, voted


def _kind(name: str, texts: dict[str, str], definition: str, wordings: str, inline: str = "") -> Kind:
    draw, judge = voted(texts)
    return Kind(name, "Classification", definition, draw, judge, lines(wordings), lines(inline), tuple(texts))


KINDS: list[Kind] = [
    _kind(
        "sentiment",
        SENTIMENT,
        "In this task you are given a short customer review. Your task is to judge the sentiment of the review "
        "and to answer with one of two labels: Positive or Negative.",
        """
        [Is|Decide if] the [review|opinion] positive or negative?
        Read the review and [say|tell me] whether the [writer|customer] was pleased. Answer Positive or Negative.
        Classify the sentiment of [this|the following] review.
        [What|Which] sentiment does the [customer|review] express, Positive or Negative?
        Did [this person|the customer] like it or not? [Label|Mark] the review Positive or Negative.
        You [get|are given] a customer review. [Find|Give] its sentiment.
        Sentiment [analysis|check]: Positive [or|/] Negative.
        [Sort|Put] customer opinions into the positive and the negative [ones|group].
        A shop owner wants to know if a [comment|review] is good or bad. Use the words Positive and Negative.
        Label the [feeling|attitude] of the [customer|reviewer] as Positive or Negative.
        Does this review [praise|recommend] the [place or thing|thing] (Positive), or complain about it (Negative)?
        Would this [customer|guest] come back? Write Positive [if yes|for yes], Negative [if no|for no].
        """,
    ),
    _kind(
        "emotion",
        EMOTION,
        "In this task you are given a sentence in which somebody feels something. Your task is to name the "
        "emotion of the sentence with one of the labels Happy, Sad, Angry or Afraid.",
        """
        [What|Which] emotion does the [sentence|person] show: Happy, Sad, Angry or Afraid?
        Name the emotion [in|of] [this|the following] sentence.
        How does the person [in the sentence |]feel? [Choose|Pick] Happy, Sad, Angry or Afraid.
        [Read|Look at] the line and decide whether somebody is happy, sad, angry or afraid.
        [Classify|Label] the text by feeling ([Happy|happy], [Sad|sad], [Angry|angry], [Afraid|afraid]).
        Detect the [mood|emotion] of the speaker.
        You get a sentence about somebody. Give one word for [his or her|the] emotion.
        Happy, Sad, Angry, [or|and] Afraid: which one [fits|matches] best?
        Tell me [what|which] feeling is [behind|hidden in] these words.
        An actor must know the right emotion for [a|this] line. [Write|Choose] it.
        Is this [joy|happiness], sadness, anger or fear? Answer Happy, Sad, Angry or Afraid.
        [Identify|Guess] how [he or she|the character] [feels|is feeling].
        """,
        """
        What is the emotion in "{input}"?
        Somebody says: "{input}" Is it Happy, Sad, Angry or Afraid?
        Label the feeling of this sentence: {input}
        How does the person feel here? "{input}"
        """,
    ),
    _kind(
        "headline_topic",
        TOPIC,
        "In this task you are given a headline from a newspaper. Your task is to choose the topic of the headline "
        "from these labels: Sport, Food, Weather, Travel, Work, Animals.",
        """
        [What|Which] topic does the headline belong to: Sport, Food, Weather, Travel, Work or Animals?
        Choose the [right|correct] [section|page] of the newspaper for [this|a] headline.
        [Classify|Label] the news headline by topic.
        Is this news about sport, food, weather, travel, work or animals?
        [Give|Write] the topic of the [following |]headline in one word.
        An editor sorts headlines into Sport, Food, Weather, Travel, Work and Animals. [Help him|Help her|Do the same].
        Read [the title of a news story|a news title] and [name|tell] its subject.
        Under which heading (Sport, Food, Weather, Travel, Work, Animals) would you print this [story|article]?
        Topic [of the headline|of this headline], please.
        You [get|see] one line from a newspaper. Decide what it is about.
        Put the [headline|article] into one of six [groups|classes]: Sport, Food, Weather, Travel, Work, Animals.
        Which [reporter|writer] should take this headline, the one for Sport, Food, Weather, Travel, Work or Animals?
        """,
    ),
    _kind(
        "formality",
        FORMALITY,
        "In this task you are given one sentence from a letter or a chat. Your task is to say if its style is "
        "formal or informal, with the label Formal or Informal.",
        """
        Is the [sentence|style of this sentence] formal or informal?
        [Classify|Mark] the style: Formal or Informal.
        Would you write this to [a friend|your best friend] (Informal) or to an office (Formal)?
        Decide if the [text|message] is written in formal or informal language.
        Look at the words [that are used|used here]. Are they formal or informal?
        [Tell|Say] which register the line has, [Formal or Informal|formal or informal].
        Label each [chat line|letter] by how formal it is.
        A student must learn formal [style|English]. Say whether the [sample|sentence] is Formal or Informal.
        You read one sentence. [Answer|Write] Formal if it suits a business letter, otherwise Informal.
        [Check|Judge] the formality of [the following|this] sentence.
        Does this [sound|read] like a business letter or like a chat with friends? [Use|Write] Formal or Informal.
        Formal or informal [language|English|writing]?
        """,
    ),
    _kind(
        "urgency",
        URGENCY,
        "In this task you are given a message that somebody sent. Your task is to decide whether the message "
        "needs help at once, with the label Urgent or Not urgent.",
        """
        Is [this|the] message urgent or not?
        [Label|Mark] the message as Urgent or Not urgent.
        Decide whether somebody must [act|help] at once (Urgent) or can wait (Not urgent).
        You work at an emergency desk. [Sort|Classify] the [message|call] by urgency.
        Can this wait [until tomorrow|a week]? Write Urgent if it cannot, Not urgent if it can.
        How urgent is [it|the message]? Use [only |]Urgent or Not urgent.
        Read the message. Does [anyone|somebody] need help [immediately|right away]?
        [Tell me|Say] if I should hurry: Urgent or Not urgent.
        Urgent or not urgent?
        A busy secretary asks whether a [note|message] is urgent. [Answer|Tell] her.
        [Check|Find out] if this [call|note] is an emergency and answer Urgent or Not urgent.
        Choose between the labels Urgent and Not urgent for [the|this] text.
        """,
        """
        Is this urgent? "{input}"
        Urgent or Not urgent: {input}
        Somebody writes "{input}". Must we hurry?
        Label this message for the emergency desk: {input}
        """,
    ),
    _kind(
        "spam",
        SPAM,
        "In this task you are given an email message. Your task is to find out whether the email is unwanted "
        "advertising, and to answer with one of the labels Spam or Not spam.",
        """
        Is this email spam?
        [Mark|Label] the email as Spam or Not spam.
        Does the [message|email] belong in the spam folder? [Write|Answer] Spam or Not spam.
        Detect [junk mail|unwanted mail]: Spam or Not spam.
        You [get|receive] an email. Decide if it is [unwanted advertising|a trick] or a real [letter|message].
        Should I [delete|trust] this mail? Say Spam or Not spam.
        A mail filter has two [labels|classes], Spam and Not spam. Which one is right?
        [Classify|Sort] the [following |]message for a spam filter.
        Tell whether the email comes from a friend (Not spam) or from a cheat (Spam).
        Read the [mail|email] and [say|tell me] if somebody wants to trick me.
        Spam or not [spam|]?
        [Protect|Help] my grandmother from false prizes: is the message Spam or Not spam?
        """,
    ),
    _kind(
        "manners",
        MANNERS,
        "In this task you are given something that a person says to another. Your task is to judge the manners of "
        "the speaker and to answer with the label Polite or Rude.",
        """
        Is the speaker polite or rude?
        [Judge|Classify] the manners [of|in] this sentence: Polite or Rude.
        Would [your teacher|a teacher] be happy with these words? Answer Polite if yes, Rude if not.
        [Say|Decide] whether [it|the sentence] is polite or rude.
        Good manners or bad manners? [Write|Use] Polite or Rude.
        Label what the person says as Polite or Rude.
        You hear [somebody|a child] speak. Tell if it was [a polite|a kind] or a rude thing to say.
        [Does|Do] the words show respect (Polite) or not (Rude)?
        How [does|did] this person talk to the other, politely or rudely?
        Choose the right label for the [tone|manners], Polite or Rude.
        We teach children to be polite. [Check|Mark] whether the [line|sentence] is Polite or Rude.
        [Check|Rate] the politeness of the [line|remark].
        """,
        """
        Is it polite or rude to say "{input}"?
        Polite or Rude: {input}
        Judge the manners of somebody who says: {input}
        A child says "{input}". Is that Polite or Rude?
        """,
    ),
    _kind(
        "intent",
        INTENT,
        "In this task you are given a sentence that somebody says. Your task is to decide its purpose and to "
        "choose one of the labels Thanks, Complaint, Request or Advice.",
        """
        Is the sentence thanks, a complaint, a request or advice?
        What is the [purpose|aim] of the sentence: Thanks, Complaint, Request or Advice?
        [Label|Classify] the message as Thanks, Complaint, Request or Advice.
        Does the speaker thank, complain, ask for something or give advice?
        [Sort|Put] the customer [message|letter] into the right box: Thanks, Complaint, Request [or|,] Advice.
        Why does the person say this? [Pick|Choose] Thanks, Complaint, Request or Advice.
        [Name|Give] the intent of the [speaker|message].
        Read what somebody says and [find|tell] what he or she wants to do with it.
        You answer the phone [at|in] an office. Is the caller's sentence a Request, a Complaint, Thanks or Advice?
        [Tell me|Decide] which of these fits: Thanks, Complaint, Request, Advice.
        Find the intention behind the [words|sentence].
        One [word|label], please: is it Advice, Thanks, a Request or a Complaint?
        """,
    ),
    _kind(
        "time_of_action",
        TENSE,
        "In this task you are given a sentence about something that somebody does. Your task is to say when it "
        "happens, with one of the labels Past, Present or Future.",
        """
        Is the sentence about the past, the present or the future?
        [Which|What] tense [is used in|has] the sentence: Past, Present or Future?
        [Label|Mark] the sentence [by|with its] time: Past, Present, Future.
        Has it already happened, is it happening now, or will it happen later? Answer Past, Present or Future.
        Classify the tense of the [verb|sentence].
        [Say|Tell] when the action takes place. [Use|Write] Past, Present or Future.
        [Look|Take a look] at the verb and [decide|find] its tense.
        You get a sentence. [Is|Was] the action over (Past), going on (Present) or still to come (Future)?
        Past, Present or Future?
        For a grammar [test|lesson], name the tense [of this sentence|here].
        When did or will this happen? Choose among Past, Present and Future.
        Decide whether [somebody|the writer] speaks of yesterday, now or tomorrow: Past, Present or Future.
        """,
    ),
]

_PROSE = {
    "feel": (SENTIMENT, EMOTION),
    "talk": (FORMALITY, MANNERS),
    "mail": (URGENCY, SPAM),
    "say": (INTENT, TENSE),
}


def mood_prose(rng: Random) -> str:
    """Sentences of one sentiment or emotion, with the word for it."""
    table = rng.choice(_PROSE[rng.choice(sorted(_PROSE))])
    label = rng.choice(sorted(table))
    opening = rng.choice(
        (f"Some words are {label.lower()}.", f"These are {label.lower()} lines.",
         f"Here is what people say or write when it is {label.lower()}.", f"How does {label.lower()} sound?")
    )  # fmt: skip
    return f"{opening} {paragraph(table[label], rng, 3)}"


def news_prose(rng: Random) -> str:
    """A page of a newspaper: the topic and its headlines."""
    label = rng.choice(sorted(TOPIC))
    heads = [paragraph(TOPIC[label], rng, 1) for _ in range(3)]
    return f"On the {label.lower()} page of the newspaper: " + ". ".join(heads) + "."


PROSE = [mood_prose, news_prose]
