"""Self-Instruct (arXiv 2212.10560) end to end: generate instruction data, train on it, evaluate, publish."""

from importlib.metadata import version

__version__ = version("selfinstruct-train")
