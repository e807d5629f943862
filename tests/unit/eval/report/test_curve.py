"""The curve: where the plateau begins, when none can be seen, and the page."""

import json
from html.parser import HTMLParser

import pytest

from selfinstruct_eval.experiment import ArmScore, Difference, SetScores
from selfinstruct_eval.report.curve import draw, find_plateau, write_curve

SIZES = [40, 80, 160, 320]


def arms(*figures: tuple[float, float, float]) -> tuple[ArmScore, ...]:
    """(score, low and high of the difference to the largest) of each size but the last, whose score is 50."""
    made = [
        ArmScore(f"{size} instructions", value, value - 2, value + 2, _difference(value - 50, low, high))
        for size, (value, low, high) in zip(SIZES, figures, strict=False)
    ]
    return (*made, ArmScore(f"{SIZES[len(made)]} instructions", 50.0, 48.0, 52.0, None))


def _difference(value: float, low: float, high: float) -> Difference:
    return Difference(value, low, high, 0.5, 1.5, "cannot be told apart" if low <= 0 <= high else "worse")


def test_the_plateau_begins_where_no_size_from_there_on_is_worse_than_the_largest():
    plateau = find_plateau(SIZES, arms((30, -22, -18), (40, -12, -8), (49.6, -1.4, 0.6)))
    assert plateau.num_instructions == 160
    assert plateau.words == (
        "From 160 instructions on no size is worse than 320 beyond chance: the largest is ahead by +0.4 points "
        "[-0.6, +1.4]. A difference of 1.5 points would show here four times in five."
    )


def test_a_size_that_is_as_good_below_one_that_is_worse_is_no_plateau():
    plateau = find_plateau(SIZES, arms((49.9, -1.1, 0.9), (45, -7, -3), (49.6, -1.4, 0.6)))
    assert plateau.num_instructions == 160


def test_a_curve_that_still_rises_has_no_plateau():
    plateau = find_plateau(SIZES, arms((30, -22, -18), (40, -12, -8), (47, -5, -1)))
    assert plateau.num_instructions is None
    assert plateau.words == (
        "No plateau up to 320 instructions: with 160 the score is lower beyond chance, the largest is ahead by +3.0 "
        "points [+1.0, +5.0]."
    )


def test_where_no_rise_shows_no_plateau_can_be_seen():
    plateau = find_plateau(SIZES, arms((48, -5, 1), (49, -4, 2), (49.5, -3, 2)))
    assert plateau.num_instructions is None
    assert plateau.words.startswith(
        "No plateau can be seen, because no rise can: 320 instructions are not better than 40 beyond chance"
    )


def test_wide_intervals_hide_a_plateau_and_the_words_say_so():
    # the rise is 10 points; at 80 instructions the largest may still be 6 ahead
    plateau = find_plateau(SIZES, arms((40, -17, -3), (47, -6, 0.5), (49, -4, 2)))
    assert plateau.num_instructions is None
    assert plateau.words.startswith(
        "The intervals are too wide to see a plateau: the largest size may be ahead of 80 by 6.0 points, more than "
        "half of the whole rise of 10.0."
    )
    assert "From 80 instructions on" in plateau.words
    narrower = find_plateau(SIZES, arms((40, -13, -7), (47, -4.9, 0.5), (49, -4, 2)))
    assert narrower.num_instructions == 80


def test_a_size_that_beats_all_is_told():
    plateau = find_plateau(SIZES, arms((30, -22, -18), (49, -3, 1), (54, 2, 6)))
    assert plateau.num_instructions == 80
    assert plateau.words.endswith("With 160 instructions the score was higher than with all, beyond chance.")


def test_doubt_about_a_later_size_is_doubt_about_the_plateau():
    # at 160 the score is 8 below the largest, and may be 17: 80 alone, as good as all, makes no plateau
    plateau = find_plateau(SIZES, arms((30, -22, -18), (49, -3, 1), (42, -17, 1)))
    assert plateau.num_instructions is None
    assert "may be ahead of 160 by 17.0 points, more than half of the whole rise of 20.0" in plateau.words


def test_of_a_curve_that_falls_nothing_false_is_said():
    words = find_plateau(SIZES, arms((60, 8, 12), (57, 5, 9), (54, 2, 6))).words
    assert "320 instructions are not better than 40 beyond chance, the largest is ahead by -10.0 points" in words
    assert "cannot be told apart" not in words
    risen = find_plateau(SIZES, arms((30, -22, -18), (56, 4, 8), (54, 2, 6)))
    assert risen.num_instructions == 80
    assert "cannot be told apart" not in risen.words


def test_one_size_makes_no_curve():
    assert find_plateau([320], arms()[:1]).words == "One size makes no curve."


def test_sizes_lie_on_a_logarithmic_axis_and_scores_between_round_numbers():
    drawing = draw(SIZES, arms((30, -22, -18), (40, -12, -8), (49.6, -1.4, 0.6)), 160)
    assert [round(p.x, 6) for p in drawing.points] == [0, pytest.approx(100 / 3), pytest.approx(200 / 3), 100]
    # intervals reach from 28 to 52, a span of 24: steps of 2 would be twelve, steps of 5 are five
    assert [label for _, label in drawing.ticks] == ["25", "30", "35", "40", "45", "50", "55"]
    assert [p.y for p in drawing.points] == pytest.approx([100 * 5 / 30, 50, 82, 100 * 25 / 30])
    assert drawing.line == "0.00,83.33 33.33,50.00 66.67,18.00 100.00,16.67"
    assert drawing.plateau == pytest.approx(200 / 3)


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_page_and_json_hold_every_size_and_load_nothing(tmp_path):
    scored = [
        SetScores(
            name, 60, 6, ArmScore("base", 1.0, 0.5, 1.5, None), arms((30, -22, -18), (40, -12, -8), (49.6, -1, 1))
        )
        for name in ("tasks", "user_oriented")
    ]
    sizes = {arm.name: (size, 3 * size) for arm, size in zip(scored[0].arms, SIZES, strict=True)}
    run_dir = tmp_path / "<run>" / "scale"
    html, curve = write_curve(run_dir, scored, sizes)
    content = json.loads(curve.read_text())
    assert [s["set"] for s in content["sets"]] == ["tasks", "user_oriented"]
    point = content["sets"][0]["points"][1]
    assert (point["instructions"], point["instances"], point["value"], point["difference"]["high"]) == (80, 240, 40, -8)
    assert content["sets"][0]["points"][3]["difference"] is None
    assert content["sets"][0]["plateau"]["num_instructions"] == 160
    text = html.read_text()
    page = _Page(text)
    assert sum(tag == "polyline" for tag, _ in page.tags) == 2
    assert sum(a.get("class") == "interval" for _, a in page.tags) == 8
    assert "&lt;run&gt; / scale" in text and "<run>" not in text
    assert "From 160 instructions on no size is worse than 320 beyond chance" in text
    assert not [a for _, a in page.tags if "src" in a or (a.get("href") or "").startswith("http")]
    first = html.read_bytes(), curve.read_bytes()
    write_curve(run_dir, scored, sizes)
    assert (html.read_bytes(), curve.read_bytes()) == first
