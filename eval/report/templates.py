"""How the pages are written: the templates in data/, the figures in them, and text that nobody else's words can break.

HTML is escaped by Jinja, data for the page's script by `tojson`, Markdown by `cell`. A page allows no script but its
own, named by checksum, and loads nothing.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import jinja2

DATA = Path(__file__).parents[1] / "data"
MAX_SHOWN = 480
"""Characters of a text shown in full."""


def render(template: str, context: dict[str, Any]) -> str:
    """Fill a template of data/; one whose name says html is escaped, Markdown escapes for itself."""
    html = ".html." in template
    if html:
        script = (DATA / "samples.js").read_text(encoding="utf-8")
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        context = {**context, "script": script, "script_hash": f"sha256-{digest}"}
    return _environment(autoescape=html).get_template(template).render(context)


def signed(value: float) -> str:
    """One decimal with a sign, a true minus for the reader's eye; zero has none."""
    text = f"{abs(value):.1f}"
    return text if text == "0.0" else f"{'−' if value < 0 else '+'}{text}"  # noqa: RUF001


def figure(value: float) -> str:
    """Counts with thousands separators, means with one decimal."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"


def shorten(text: str, limit: int = MAX_SHOWN) -> str:
    """Cut a long text and say how much is left out."""
    left = len(text) - limit
    return text if left <= 0 else f"{text[:limit].rstrip()} … ({left:,} more characters)"


def p_value(p: float) -> str:
    """Two digits; below what the resamples can tell apart, that."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _environment(autoescape: bool) -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(DATA),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "signed": signed,
        "figure": figure,
        "shorten": shorten,
        "words": lambda name: name.replace("_", " "),
        "cell": _markdown_cell,
        "p": p_value,
        "one": lambda value: f"{value:.1f}",
        "two": lambda value: f"{value:.2f}",
        "count": lambda value: f"{value:,}",
    }
    return environment


def _markdown_cell(text: str) -> str:
    """Text that cannot break out of a table cell or a list item, whatever a model wrote."""
    for character in "\\`*_[]|#":
        text = text.replace(character, f"\\{character}")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "<br>".join(line.strip() for line in text.strip().splitlines())
