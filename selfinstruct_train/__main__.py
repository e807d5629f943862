"""`python -m selfinstruct_train`: the command `selfinstruct`, for launchers and processes of its own."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
