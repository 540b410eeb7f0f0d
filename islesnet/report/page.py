"""One HTML file that opens anywhere, without a network."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from numbers import Integral, Real
from pathlib import Path

import pandas as pd

from islesnet.files import whole_file
from islesnet.report.wording import MISSING, say

BANNER = "Research use only, not a medical device"
MEANINGS = {
    "PHANTOM": "the patients are synthetic; no figure here says how well anything works on people",
    "LEAKY": "the split is by slices, so slices of one patient are on both sides, and the scores are too high",
    "RANDOM ENCODER": "the encoder started from random weights, not from ImageNet's",
    "QUICK": "a short run that shows the way, not what the method can reach",
}
# A table longer than this scrolls in its own box, under a heading that stays.
LONG_ROWS = 60
# Of small pictures: where fewer are to be shown, they are no larger.
FEWEST_IN_ROW, MOST_IN_ROW = 5, 6

# A column of longer cells is one of sentences: on a phone its rows become cards.
WORD_LENGTH = 12
# Nothing but what the file itself holds is ever loaded, whatever a patient is called.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_FIGURE = r"[−+-]?[\d.]+"
_NUMBER = re.compile(rf"{_FIGURE}(( to | of | / )({_FIGURE}|{MISSING}))?( \({_FIGURE} to {_FIGURE}\))?|{MISSING}|−?∞|")


@dataclass(frozen=True)
class Panel:
    """A small picture that stands in a row of its like.

    Args:
        png: the file's bytes.
        caption: a few words below it.
        description: what it shows, for a reader who cannot see it.
    """

    png: bytes
    caption: str
    description: str


class Page:
    """A report in the making: sections with figures, tables and pictures, written to one file.

    Everything is escaped: a patient may be called ``<script>``. Pictures are held in the file.

    Args:
        title: of the page.
        stamps: words in capitals that keep a run from being mistaken, e.g. "PHANTOM"; shown on top.
        running_title: stands beside the banner on every printed page.
    """

    def __init__(self, title: str, stamps: Sequence[str] = (), running_title: str = "") -> None:
        self.title = title
        self.stamps = tuple(stamps)
        self.running_title = running_title
        self._headings: list[str] = []
        self._parts: list[str] = []
        self._pictures: list[str] = []

    def section(self, heading: str, text: str = "") -> None:
        """Begin a section; an empty line in its text begins a paragraph."""
        self._headings.append(heading)
        self._add(f'<h2 id="section-{len(self._headings)}">{escape(heading)}</h2>')
        self.text(text)

    def subsection(self, heading: str) -> None:
        """Begin a part of a section; it is not among the links on top."""
        self._add(f"<h3>{escape(heading)}</h3>")

    def lead(self, sentence: str) -> None:
        """Add the result in one sentence, in large type."""
        self._add(f'<p class="lead">{escape(sentence)}</p>')

    def alert(self, heading: str, reasons: Sequence[str]) -> None:
        """Add a warning that cannot be overlooked, with its reasons."""
        self._add(f'<div class="alert"><p><strong>{escape(heading)}</strong></p>{_list(reasons)}</div>')

    def points(self, sentences: Sequence[str]) -> None:
        """Add a list of sentences."""
        self._add(_list(sentences))

    def text(self, text: str) -> None:
        """Add paragraphs."""
        for paragraph in text.split("\n\n"):
            if paragraph.strip():
                self._add(f"<p>{escape(paragraph.strip())}</p>")

    def facts(self, facts: Mapping[str, tuple[str, str]]) -> None:
        """Add the figures that a reader looks for first: by name, the figure and a line below it."""
        blocks = (
            f"<div><dt>{escape(name)}</dt><dd>{escape(figure)}<small>{escape(line)}</small></dd></div>"
            for name, (figure, line) in facts.items()
        )
        self._add(f'<dl class="facts">{"".join(blocks)}</dl>')

    def table(self, frame: pd.DataFrame, caption: str, links: Sequence[str | None] = ()) -> None:
        """Add a table; its first column names the rows, its index is left out.

        Args:
            frame: numbers, and words as they are to be read.
            caption: above it.
            links: a relative address for each row's name, percent-encoded; None for a row without one.
        """
        cells = [[_said(value) for value in frame.iloc[:, column]] for column in range(frame.shape[1])]
        kinds = ["text", *(_kind(column) for column in cells[1:])]
        names = [escape(str(name)) for name in frame.columns]
        head = "".join(f'<th scope="col" class="{kind}">{name}</th>' for name, kind in zip(names, kinds, strict=True))
        rows = zip(zip(*cells, strict=True), links or [None] * len(frame), strict=True)
        body = "".join(f"<tr>{_row(row, names, kinds, link)}</tr>" for row, link in rows)
        if len(frame) > LONG_ROWS:
            caption = f"{caption} {len(frame)} rows: the table scrolls."
        box = " ".join(
            ["scroll", *(["long"] if len(frame) > LONG_ROWS else []), *(["cards"] if "text" in kinds[1:] else [])]
        )
        self._add(
            f'<figure class="table"><figcaption>{escape(caption)}</figcaption>'
            f'<div class="{box}" tabindex="0" role="region" aria-label="{escape(caption)}">'
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></figure>"
        )

    def picture(self, path: Path, caption: str) -> None:
        """Add a PNG; pictures in a row stand side by side where there is room."""
        self._pictures.append(
            f"<figure>{_image(path.read_bytes(), caption)}<figcaption>{escape(caption)}</figcaption></figure>"
        )

    def panels(self, panels: Sequence[Panel], size: str = "") -> None:
        """Add small pictures side by side, as many in a row as there is room for.

        Args:
            panels: in order.
            size: "small" for many that are glanced over, "large" for a line that is followed along a border.
        """
        figures = (
            f"<figure>{_image(panel.png, panel.description)}<figcaption>{escape(panel.caption)}</figcaption></figure>"
            for panel in panels
        )
        row = min(max(len(panels), FEWEST_IN_ROW), MOST_IN_ROW)
        classes = " ".join(["panels", size]).strip()
        self._add(f'<div class="{classes}" style="--row: {row}">{"".join(figures)}</div>')

    def write(self, path: Path) -> Path:
        """Write the page."""
        self._lay_out_pictures()
        links = "".join(
            f'<li><a href="#section-{number}">{escape(heading)}</a></li>'
            for number, heading in enumerate(self._headings, start=1)
        )
        style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
        page = (
            f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
            f"<title>{escape(self.title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
            f'<div class="sheet">\n{self._banner()}\n<main>\n'
            f'<h1>{escape(self.title)}</h1>\n<nav aria-label="Sections"><ul>{links}</ul></nav>\n'
        )
        with whole_file(path) as part:
            part.write_text(page + "\n".join(self._parts) + "\n</main>\n</div>\n</body>\n</html>\n", encoding="utf-8")
        return path

    def _banner(self) -> str:
        stamps = "".join(f" <b>{escape(stamp)}</b>" for stamp in self.stamps)
        running = f' <span class="running">{escape(self.running_title)}</span>' if self.running_title else ""
        banner = f'<div class="banner">{BANNER}{stamps}{running}</div>'
        meanings = "; ".join(f"{stamp}: {MEANINGS[stamp]}" for stamp in self.stamps if stamp in MEANINGS)
        return banner + (f'\n<p class="stamps">{escape(meanings)}.</p>' if meanings else "")

    def _add(self, part: str) -> None:
        self._lay_out_pictures()
        self._parts.append(part)

    def _lay_out_pictures(self) -> None:
        if self._pictures:
            self._parts.append(f'<div class="pictures">{"".join(self._pictures)}</div>')
            self._pictures = []


def _kind(cells: Sequence[str]) -> str:
    """Tell how a column is set: numbers to the right, single words narrow, sentences wide."""
    if all(map(_NUMBER.fullmatch, cells)):
        return "number"
    return "word" if max(map(len, cells)) <= WORD_LENGTH else "text"


def _image(png: bytes, description: str) -> str:
    # The IHDR chunk comes first: width and height are at bytes 16 and 20.
    width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
    return (
        f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}" width="{width}" height="{height}" '
        f'alt="{escape(description)}">'
    )


def _list(sentences: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in sentences)}</ul>" if sentences else ""


def _row(cells: Sequence[str], names: Sequence[str], kinds: Sequence[str], link: str | None) -> str:
    first, *values = (escape(cell) for cell in cells)
    if link is not None:
        first = f'<a href="{escape(link)}">{first}</a>'
    written = (
        f'<td class="{kind}" data-name="{name}">{value}</td>'
        for value, name, kind in zip(values, names[1:], kinds[1:], strict=True)
    )
    return f'<th scope="row"><span>{first}</span></th>{"".join(written)}'


def _said(value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None or value is pd.NA:
        return MISSING
    return say(value) if isinstance(value, Real) and not isinstance(value, Integral) else str(value)
