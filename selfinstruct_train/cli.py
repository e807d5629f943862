"""How a recipe ends: what the user can mend is one line and an exit code, never a traceback.

0: done; 2: an error in one line; 3: a limit of the budget is reached; 130: stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from .core.exit_codes import BUDGET_REACHED, ERROR, INTERRUPTED
from .core.records import BudgetReachedError


def run_recipe(main: Callable[[], None], when_stopped: str = "stopped") -> int:
    """Run a recipe and return its exit code. Of several processes only the first speaks.

    Args:
        when_stopped: what Ctrl-C prints, e.g. "stopped; the same command goes on from here".
    """
    is_first = int(os.environ.get("RANK", "0")) == 0

    def say(line: str) -> None:
        if is_first:
            print(line, file=sys.stderr)

    try:
        main()
    except BudgetReachedError as reached:
        say(f"stopped: {reached}")
        return BUDGET_REACHED
    except (ValueError, OSError) as error:
        say(f"error: {' '.join(str(error).split())}")
        return ERROR
    except KeyboardInterrupt:
        say(when_stopped)
        return INTERRUPTED
    return 0
