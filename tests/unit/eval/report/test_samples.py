from pathlib import Path
from typing import Any

import pytest

from selfinstruct_eval.examples import Example, ExampleSet
from selfinstruct_eval.report.report import write_report
from selfinstruct_eval.report.samples import draw_samples
from selfinstruct_eval.scores import Evaluation, evaluate_predictions
from selfinstruct_train.config import Config

ATTACK = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


def evaluate(number: int = 40, length: int = 1, name: str = "tasks") -> Evaluation:
    """Two tasks in two categories; base is right on every fourth, tuned on the even numbers."""
    examples = [Example(str(n), f"task_{n % 2}", f"kind {n % 2}", f"Ask {n}.", ATTACK, ("yes",)) for n in range(number)]
    predictions = {
        "base": ["yes" if n % 4 == 0 else f"{ATTACK} {n}" for n in range(number)],
        "base, cut": ["cut"] * number,
        "seeds+generated": ["yes" if n % 2 == 0 else "word " * length for n in range(number)],
    }
    return evaluate_predictions(ExampleSet(name, "here", examples), predictions, seed=1, bootstrap_samples=20)


def test_samples_are_drawn_by_the_seed_and_every_category_comes_first():
    first = draw_samples([evaluate()], 1)[0]
    assert first == draw_samples([evaluate()], 1)[0] != draw_samples([evaluate()], 2)[0]
    assert {sample.category for sample in first[:2]} == {"kind 0", "kind 1"}
    assert len(first) == 40 and len({sample.id for sample in first}) == 40
    assert [a.system for a in first[0].answers] == ["base", "seeds+generated"]


def test_a_page_holds_at_most_300_samples_of_all_sets_and_long_texts_are_cut():
    drawn = draw_samples([evaluate(400), evaluate(400, length=1000, name="user_oriented")], 1)
    assert [len(part) for part in drawn] == [150, 150]
    cut = max((a.text for sample in drawn[1] for a in sample.answers), key=len)
    assert "more characters)" in cut and len(cut) < 520


@pytest.mark.parametrize("word", ["long ", "<a> &"])  # the page writes < as six characters
def test_samples_stop_where_the_page_would_grow_too_large(tmp_path: Path, word: str):
    texts = [word * 300] * 300
    examples = [Example(str(n), "t", "c", word * 300, word * 300, ("x",)) for n in range(300)]
    many = evaluate_predictions(ExampleSet("tasks", "", examples), {f"s{k}": texts for k in range(20)}, 1, 10)
    drawn = draw_samples([many], 1)[0]
    assert 30 < len(drawn) < 200
    assert write_report(Config(run_dir=str(tmp_path)), [many])[0].stat().st_size < 3_000_000


@pytest.fixture(scope="module")
def page(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    run_dir = tmp_path_factory.mktemp("run")
    tab = browser.new_page(viewport={"width": 390, "height": 800})
    tab.path = write_report(Config(run_dir=str(run_dir)), [evaluate()])[0]
    tab.errors = []
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    tab.on("console", lambda message: tab.errors.append(message.text))
    return tab


def test_filters_choose_samples_in_a_real_browser(page: Any):
    page.goto(f"file://{page.path}")
    count, cards = page.locator("#samples-count"), page.locator("#samples-list article")
    assert count.inner_text() == "40 of 40 samples" and cards.count() == 10
    page.get_by_role("button", name="Show 20 more").click()
    assert cards.count() == 30
    page.get_by_label("Score").select_option("1")  # tuned is right and base is not: n % 4 == 2
    assert count.inner_text() == "10 of 40 samples" and cards.count() == 10
    page.get_by_label("Tasks").select_option(label="kind 1")  # odd numbers: tuned is never better there
    assert count.inner_text() == "0 of 40 samples" and cards.count() == 0
    page.get_by_label("Score").select_option("0")  # both are wrong on all odd numbers
    assert count.inner_text() == "20 of 40 samples"
    page.get_by_label("Tasks").select_option("")
    page.get_by_label("Answers of").select_option(label="Base")
    page.get_by_label("Score").select_option("-1")
    page.get_by_label("Compared with").select_option(label="Tuned on seeds + generated")
    assert count.inner_text() == "10 of 40 samples"
    page.get_by_label("Score").select_option("")
    page.get_by_label("Search").fill("ask 13.")
    assert count.inner_text() == "1 of 40 samples"
    assert "Ask 13." in cards.first.inner_text() and ATTACK in cards.first.inner_text()
    assert page.evaluate("window.hacked") is None and not page.errors


def test_the_page_never_scrolls_sideways_on_a_phone_and_reads_in_the_dark(page: Any):
    backgrounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(f"file://{page.path}")
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        backgrounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert backgrounds == ["rgb(246, 247, 248)", "rgb(16, 19, 23)"]


def test_without_scripts_the_first_samples_are_a_plain_list(page: Any):
    without = page.context.browser.new_context(java_script_enabled=False).new_page()
    without.goto(f"file://{page.path}")
    assert without.locator("#samples-list article").count() == 10
    assert not without.locator("#samples-filter").is_visible() and not without.locator("#samples-more").is_visible()
