"""Evaluation, installed as `selfinstruct_eval`: tasks, greedy predictions, metrics, intervals and the report.

The folder is called `eval` in the repository; imported under that name it would be a second copy of every module, so
any other name than `selfinstruct_eval` is refused.
"""

if __name__ != "selfinstruct_eval":
    raise ImportError(
        f"this package is called selfinstruct_eval, not {__name__!r}; "
        "`pip install -e .` once, then `import selfinstruct_eval`"
    )
