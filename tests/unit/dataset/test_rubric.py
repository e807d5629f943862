"""What the judge is asked, and which answers are grades."""

import pytest

from selfinstruct_train.dataset.rubric import question, read_grade


def test_the_question_shows_the_row_and_asks_for_the_form_that_is_read():
    text = question(" Print {output}. ", "", "{input}\n", chat=True)
    assert "=== Instruction ===\nPrint {output}.\n\n=== Input ===\n(none)\n\n=== Output ===\n{input}\n\n===" in text
    assert text.endswith('"Grade: 3" and nothing else.')
    assert question("A", "b", "c", chat=False).endswith("=== End of the example ===\n\nGrade:")


@pytest.mark.parametrize(
    ("answer", "grade"),
    [
        ("Grade: 4", 4),
        ("  Grade: 1.\n", 1),
        ("The output is right.\nGrade: 5/5\n", 5),
        ("Grade: 3\nGrade: 3", 3),
        ("Grade: 2\nGrade: 4", None),
        ("Grade: 6", None),
        ("Grade: 45", None),
        ("Grade: 4.5", None),
        ("I would say Grade: 4 here", None),
        ("4", None),
        ("", None),
    ],
)
def test_only_the_form_that_was_asked_for_is_a_grade(answer, grade):
    assert read_grade(answer, chat=True) == grade


@pytest.mark.parametrize(
    ("answer", "grade"), [(" 4", 4), ("2\n\nGrade: 5", 2), (" 4 or so", None), (" four", None), ("\n4", None)]
)
def test_in_plain_text_the_answer_is_the_rest_of_the_line(answer, grade):
    assert read_grade(answer, chat=False) == grade
