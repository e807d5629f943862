"""The verb-noun structure of instructions: what is asked for, as in "write a letter", for the diversity wheel.

The paper (section 3.2) parses with the Berkeley Neural Parser and takes the verb nearest to the root with its first
direct noun object; it finds such a pair in 26,559 of its 52,445 instructions. Here HanTa tags and lemmatises (its
English model is part of its wheel, so nothing is downloaded) and a rule over the tags takes the place of the parser:

1. Only the first sentence counts. A clause in front ("Given a text, ...") is passed over.
2. The verb is the imperative at the head, or the one behind "you need to", "can you", "how would you", or the finite
   verb behind a noun subject.
3. The object is the head of the noun phrase right behind the verb (behind "me" or "us"); a pronoun, a clause ("whether
   ...") or a preposition there means that there is no pair.

English only. docs/dataset.md tells how often the rule is right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from HanTa.HanoverTagger import HanoverTagger


@dataclass(frozen=True)
class VerbNoun:
    """Root verb and head noun of its direct object, both lemmas in lower case."""

    verb: str
    noun: str


@dataclass(frozen=True)
class Token:
    """A word with its lemma and its tag of the BNC's C5 set; `verb_like` if its form can be a verb's base form."""

    word: str
    lemma: str
    tag: str
    verb_like: bool = False


_WORDS = re.compile(r"\w+(?=n't\b)|n't\b|'(?:s|re|ve|ll|d|m)\b|\w+(?:[-.]\w+)*|[^\w\s]")
_BASE = {"VVB", "VVI"}
_FINITE = {"VVB", "VVZ", "VVD", "VHB", "VHZ", "VHD"}
_AUXILIARY = {"VM0", "VDB", "VDD", "VDZ", "VHB", "VHZ", "VHD"}
_BE = {"VBB", "VBZ", "VBD"}
_DETERMINERS = {"AT0", "DT0", "DPS", "CRD", "ORD"}
_BEFORE_NOUN = _DETERMINERS | {"AJ0", "AJC", "AJS"}
_NOUNS = {"NN0", "NN1", "NN2", "NP0", "UNC"}
_CLAUSE_IN_FRONT = {"VVN", "VVG", "PRP", "CJS", "TO0", "PRF"}
_WH = {"AVQ", "DTQ", "PNQ"}
_LEADS_TO_INFINITIVE = {"need", "have", "want", "like", "ask", "require", "suppose", "try", "be", "tell", "task"}
_TWO_OBJECTS = {"give", "tell", "show", "send", "offer", "teach", "ask", "write"}


def verb_noun_pairs(instructions: Sequence[str]) -> list[VerbNoun | None]:
    """Return the pair of each instruction, None where it has none (a question, a clause, another script)."""
    return [verb_noun(tag(first_sentence(text))) for text in instructions]


def first_sentence(text: str) -> str:
    """Return the text up to its first full stop, question or exclamation mark or line break, without a list number."""
    text = re.sub(r"^\W*\d+[.)]\s+", "", text.strip())
    return re.split(r"(?<=[.!?])\s|\n", text, maxsplit=1)[0]


def tag(sentence: str) -> list[Token]:
    """Split a sentence into words and tag them."""
    # What comes later does not matter, and HanTa takes time by the word and by the square of its length.
    words = [word[:40] for word in _WORDS.findall(sentence)[:60]]
    if not words:
        return []
    tagger = _tagger()
    tagged = tagger.tag_sent(words, taglevel=1)
    return [
        Token(w, str(lemma).lower(), t, t in _BASE or (t in _NOUNS | {"AJ0"} and _can_be_verb(w)))
        for w, lemma, t in tagged
    ]


def verb_noun(tokens: Sequence[Token]) -> VerbNoun | None:
    """Apply the rule of this module to a tagged sentence."""
    index, fronted = _find_verb(tokens)
    if index is None:
        return None
    verb = tokens[index]
    noun = _find_object(tokens, index + 1, verb.lemma) or fronted
    if noun is None:
        return None
    return VerbNoun(verb.lemma if verb.tag[0] == "V" else verb.word.lower(), noun)


def _find_verb(tokens: Sequence[Token]) -> tuple[int | None, str | None]:
    """Return where the root verb stands, and the object if a question put it in front ("Which book would you read")."""
    start = 0
    while start < len(tokens) and (
        tokens[start].tag in {"AV0", "ITJ", "PUQ"} or tokens[start].word.lower() in {"please", '"'}
    ):
        start += 1
    if start == len(tokens):
        return None, None
    first = tokens[start]
    if first.tag in _WH:
        return _in_question(tokens, start)
    if first.tag in {"VM0", "VDZ", "VDD"} and _tag_at(tokens, start + 1) in _DETERMINERS:
        return None, None  # "Does the user sound happy?"
    if first.tag in _AUXILIARY and _tag_at(tokens, start + 1) not in _DETERMINERS:
        if _tag_at(tokens, start + 1) == "XX0":  # "Do not use ..."
            return (start + 2, None) if _tag_at(tokens, start + 2) in _BASE else (None, None)
        return _after_subject(tokens, start + 1), None
    if _is_imperative(tokens, start) or first.tag in {"VDB", "VHB"}:
        return start, None
    if first.tag in _CLAUSE_IN_FRONT or first.word.lower() == "given":
        for index in range(start + 1, len(tokens) - 1):
            if tokens[index].word == ",":
                after = index + 1
                while _tag_at(tokens, after) == "AV0" or (after < len(tokens) and tokens[after].word == "please"):
                    after += 1
                if _is_imperative(tokens, after):
                    return after, None
                if _tag_at(tokens, after) == "PNP":
                    return _behind_subject(tokens, after), None
        return None, None
    return _behind_subject(tokens, start), None


def _behind_subject(tokens: Sequence[Token], start: int) -> int | None:
    """Find the verb of a statement: "you need to make ...", "your task is to make ...", "a man has ..."."""
    for index in range(start + 1, len(tokens) - 1):
        if tokens[index].tag == "TO0" and tokens[index + 1].tag in _BASE | {"VHI", "VDI"}:
            before = [t for t in tokens[start:index] if t.tag not in {"AV0", "XX0"}]
            if before and before[-1].lemma in _LEADS_TO_INFINITIVE:
                return index + 1
    for index in range(start + 1, len(tokens)):
        token = tokens[index]
        if token.tag in _BE or token.tag in {"PNQ", "CJT", "CJS", "PUN"} | _WH:
            return None
        if token.tag == "VM0":
            return _after_subject(tokens, index + 1, subject=False)
        if token.tag in _FINITE:
            return index
    return None


def _in_question(tokens: Sequence[Token], start: int) -> tuple[int | None, str | None]:
    """Find the verb of "how to make", "how would you make", "which colour would you take"."""
    if _tag_at(tokens, start + 1) == "TO0" and _tag_at(tokens, start + 2) in _BASE:
        return start + 2, None
    for index in range(start + 1, len(tokens)):
        if tokens[index].tag in _BE | {"VVZ"}:
            break
        if tokens[index].tag in _AUXILIARY:
            fronted = _find_object(tokens[:index], start + 1, "")
            return _after_subject(tokens, index + 1), fronted if tokens[start].tag == "DTQ" else None
    return None, None


def _after_subject(tokens: Sequence[Token], start: int, subject: bool = True) -> int | None:
    """Behind an auxiliary: a subject pronoun (if `subject`), adverbs, then the verb."""
    if subject:
        if _tag_at(tokens, start) != "PNP":
            return None
        start += 1
    while _tag_at(tokens, start) in {"AV0", "XX0"} or (start < len(tokens) and tokens[start].word == "please"):
        start += 1
    return start if _tag_at(tokens, start) in _BASE | {"VVN", "VVD", "VHN", "VHI", "VHD", "VDI"} else None


def _is_imperative(tokens: Sequence[Token], index: int) -> bool:
    """A base form; or a word tagged as a noun ("Output the ...") that can be a verb or stands before a determiner."""
    if index >= len(tokens):
        return False
    token, following = tokens[index], _tag_at(tokens, index + 1)
    if token.tag in _BASE:
        return True
    if token.tag not in {"NN1", "NN0", "NP0", "AJ0", "UNC"} or not token.word.isalpha():
        return False
    if following in _DETERMINERS - {"CRD"}:
        return True
    return token.verb_like and following in _BEFORE_NOUN | _NOUNS | {"PNP", "PRP", "AVP", "CJS", "DTQ", "AVQ"}


def _find_object(tokens: Sequence[Token], start: int, verb: str) -> str | None:
    """Return the head noun of the noun phrase at `start`, None if something else stands there."""
    index = start
    while _tag_at(tokens, index) in {"AVP", "AV0", "PUQ"}:
        index += 1
    if _tag_at(tokens, index) == "PNP":
        index += 1  # "give me ..."; a pronoun that is the object itself has no noun phrase behind it
        while _tag_at(tokens, index) == "AV0":
            index += 1
    head, end = _noun_phrase(tokens, index)
    if head is not None and verb in _TWO_OBJECTS and _tag_at(tokens, end) == "AT0":
        second, _ = _noun_phrase(tokens, end)
        head = second or head
    return head


def _noun_phrase(tokens: Sequence[Token], start: int) -> tuple[str | None, int]:
    """Read a noun phrase from `start`; return its head's lemma and the index behind it."""
    head: str | None = None
    determined = False
    index = start
    while index < len(tokens):
        token, following = tokens[index], _tag_at(tokens, index + 1)
        if token.tag in _NOUNS and token.word[0].isalnum():
            head = token.lemma
        elif token.tag == "POS" or token.word == "'s":  # "the user's ...": the owner is not the head
            head = None
        elif head is not None:
            break
        elif token.tag in _BEFORE_NOUN or token.word == "%":
            determined = True
        elif token.tag == "PRF" and determined:
            pass  # "all of the words", "one of the words"
        elif token.tag in {"AV0", "PUQ"} or (token.tag == "PNI" and following == "PRF"):
            determined = determined or token.tag == "PNI"
        elif determined and token.tag in {"VVN", "VVG", "VVD"} and following in _NOUNS | _BEFORE_NOUN:
            pass  # "the given text"
        elif determined and (token.tag == "CJC" or token.word in {",", "-", "/"}):
            if following not in _NOUNS | _BEFORE_NOUN | {"AV0"}:
                break
        elif determined and token.tag[:2] == "VV":  # "the following tweet", tagged as a verb
            head = token.word.lower()
        else:
            break
        index += 1
    return head, index


def _tag_at(tokens: Sequence[Token], index: int) -> str:
    return tokens[index].tag if index < len(tokens) else ""


@lru_cache(maxsize=1)
def _tagger() -> HanoverTagger:
    from HanTa.HanoverTagger import HanoverTagger

    return HanoverTagger("morphmodel_en.pgz")


@lru_cache(maxsize=10_000)
def _can_be_verb(word: str) -> bool:
    return any(name in _BASE for name, _ in _tagger().tag_word(word))
