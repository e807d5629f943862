"""Where the tests find things: the checkout, and the real material beside it that the project did not write."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
REAL_DATA = SHARED / "self_instruct_5k.jsonl"
