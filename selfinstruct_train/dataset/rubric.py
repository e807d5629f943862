"""What a judge is asked about one row of a dataset, and how its answer is read.

The rubric is this project's own. An answer counts only in the form it was asked for; what cannot be read is no grade.
"""

from __future__ import annotations

import re

RUBRIC = """\
Below is one example from a set of training data for an assistant that follows instructions: an instruction, an input \
for it, and an output. Check it on three points.
1. Does the instruction make sense, and could someone act on it?
2. Does the input fit the instruction? Where there is no input, is none needed?
3. Is the output right for this instruction and input, and complete?

Give one grade:
5 - all three points hold, nothing to mend
4 - all three hold, with a small blemish in wording or form
3 - instruction and input are fine, but the output is partly wrong or incomplete
2 - the output is wrong, or the input does not fit the instruction
1 - the instruction makes no sense, or the example is of no use

=== Instruction ===
{instruction}

=== Input ===
{input}

=== Output ===
{output}

=== End of the example ===
"""
CHAT_QUESTION = 'What grade does it get? Answer with one line in the form "Grade: 3" and nothing else.'
PLAIN_QUESTION = "Grade:"
_GRADE = re.compile(r"^[ \t]*Grade:[ \t]*([1-5])(?:/5)?\.?[ \t]*$", re.MULTILINE)


def question(instruction: str, input: str, output: str, chat: bool) -> str:
    """Return the text that asks for the grade of a row; plain text ends in the beginning of the answer."""
    values = {"instruction": instruction.strip(), "input": input.strip() or "(none)", "output": output.strip()}
    # one pass over the rubric, so that braces in a row are left alone
    text = re.sub(r"\{(\w+)\}", lambda match: values[match[1]], RUBRIC)
    return f"{text}\n{CHAT_QUESTION if chat else PLAIN_QUESTION}"


def read_grade(answer: str, chat: bool) -> int | None:
    """Return the grade in an answer: a line "Grade: 4" of its own, or None where there is none or several differ.

    In plain text the question began that line, and what follows it is no longer the answer.
    """
    grades = set(_GRADE.findall(answer if chat else PLAIN_QUESTION + answer.split("\n")[0]))
    return int(grades.pop()) if len(grades) == 1 else None
