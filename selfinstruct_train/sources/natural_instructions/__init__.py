"""The one reader of the Natural Instructions v2 format: lists of tasks (splits) and the tasks themselves.

A source is a folder with tasks/*.json and splits/<split>/{test,train,excluded}_tasks.txt, a zip or tar of one (as
GitHub packs a repository), or hub:<owner/name>, a Hugging Face dataset with one row for each instance and reference.
What is wrong with one is told in one line. How a task is put into a prompt is none of this package's business.
"""

from .format import TaskInstance, WorkedExample, read_instances, read_text, read_worked_examples
from .source import Part, TaskFiles, is_task_source, open_tasks
from .splits import OFFICIAL_NUMBERS

__all__ = [
    "OFFICIAL_NUMBERS",
    "Part",
    "TaskFiles",
    "TaskInstance",
    "WorkedExample",
    "is_task_source",
    "open_tasks",
    "read_instances",
    "read_text",
    "read_worked_examples",
]
