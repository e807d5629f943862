"""Evaluation, installed as `selfinstruct_eval`: tasks, greedy predictions, metrics, intervals and comparisons.

Below it: `judge` (a language model grades the answers), `people` (raters do, on a page of their own), `report` (the
report and all other pages), and `harness` and `metric`, which bring the same tasks and scores to other people's tools.
The folder is called `eval` in the repository; imported under that name it would be a second copy of every module, so
any other name than `selfinstruct_eval` is refused.
"""

from pathlib import Path

if __name__ != "selfinstruct_eval":
    raise ImportError(
        f"this package is called selfinstruct_eval, not {__name__!r}; "
        "`pip install -e .` once, then `import selfinstruct_eval`"
    )

METRIC = str(Path(__file__).parent / "metric" / "superni")
"""For `evaluate.load`: a folder, so that it loads without a network."""
HARNESS = str(Path(__file__).parent / "harness")
"""For lm-evaluation-harness: `lm_eval --include_path`, `TaskManager(include_path=...)`."""
