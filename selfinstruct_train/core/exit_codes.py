"""What the exit code of a command says: 0 is done, any other code not here is a bug with its traceback."""

ERROR = 2
"""Something the user can mend, told in one line."""
BUDGET_REACHED = 3
"""A limit of the budget is reached; raise it and give the same command to go on."""
INTERRUPTED = 130
"""Stopped by Ctrl-C."""
