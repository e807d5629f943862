"""What rows of instruction data have in common with a run's evaluation data, for a training that is examined."""

from __future__ import annotations

import functools

from selfinstruct_eval.evaluation_data import open_evaluation_data

from ..config import Config
from ..generate.contamination import find_overlaps
from ..train.checks.doctor import FindOverlaps


def open_overlaps(config: Config) -> FindOverlaps:
    """Open the run's evaluation data and return what finds the overlap of each row with it.

    Raises:
        ValueError: a set of generate.contamination.sets is missing or is not what it should be.
    """
    settings = config.generate.contamination
    return functools.partial(find_overlaps, evaluation_data=open_evaluation_data(config), settings=settings)
