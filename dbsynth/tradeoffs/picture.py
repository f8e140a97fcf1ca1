"""The picture of a trade-off: a drawing in SVG, made of lines and words alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from dbsynth.tradeoffs import FLOOR, OPEN, REAL, WARNING, Tradeoff

_WIDTH, _HEIGHT = 820, 470
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 560, 76, 378
_APART = 17  # between the baselines of labels
_INK, _PALE, _GRID, _PRIVATE = "#222222", "#666666", "#e4e4e4", "#0b5fa5"
_COLOURS = {REAL: "#3a7d34", OPEN: "#a4511a", FLOOR: "#6b6b6b"}
_NAMES = {
    REAL: "real rows, the shown half",
    OPEN: "relational, no privacy",
    FLOOR: "independent, no privacy",
}


def picture(found: Tradeoff) -> str:
    """The drawing: utility over epsilon, with what engines without privacy reach as level lines."""
    frame = _Frame(found)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
        f' width="{_WIDTH}" height="{_HEIGHT}" font-family="Helvetica, Arial, sans-serif"'
        ' font-size="13">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        *_words(found),
        *frame.axes(),
        *frame.levels(),
        *frame.curve(),
        *frame.labels(),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


class _Frame:
    """Where figures lie on the drawing."""

    def __init__(self, found: Tradeoff) -> None:
        self.levelled = [
            (line.engine, line.utility)
            for line in found.lines
            if line.epsilon is None and line.utility is not None
        ]
        private = [line for line in found.lines if line.epsilon is not None]
        self.epsilons = [line.epsilon for line in private if line.epsilon is not None]
        self.points = [
            (line.epsilon, line.utility)
            for line in private
            if line.epsilon is not None and line.utility is not None
        ]
        least = min(value for _, value in (*self.levelled, *self.points))
        self.least = max(0.0, math.floor(least * 10 - 0.5) / 10)

    def x(self, epsilon: float) -> float:
        """The place of an epsilon, by its logarithm."""
        low, high = math.log(self.epsilons[0]), math.log(self.epsilons[-1])
        share = (math.log(epsilon) - low) / (high - low) if high > low else 0.5
        return _LEFT + 24 + share * (_RIGHT - _LEFT - 48)

    def y(self, utility: float) -> float:
        """The place of a utility."""
        return _BOTTOM - (utility - self.least) / (1 - self.least) * (_BOTTOM - _TOP)

    def axes(self) -> Iterator[str]:
        """Both scales; only the epsilons that were tried are marked."""
        for tenth in range(round(self.least * 10), 11):
            y = self.y(tenth / 10)
            yield _line(_LEFT, y, _RIGHT, y, _GRID)
            yield _text(_LEFT - 8, y + 4, f"{tenth / 10:.1f}", _PALE, "end")
        known = dict(self.points)
        for epsilon in self.epsilons:
            x = self.x(epsilon)
            yield _line(x, _BOTTOM, x, _BOTTOM + 5, _PALE)
            yield _text(x, _BOTTOM + 20, f"{epsilon:g}", _PALE, "middle")
            if epsilon not in known:
                yield from _haloed(x, _BOTTOM - 8, "refused")
        yield _text((_LEFT + _RIGHT) / 2, _BOTTOM + 42, "epsilon (log scale)", _INK, "middle")

    def levels(self) -> Iterator[str]:
        """What has no epsilon."""
        for engine, value in self.levelled:
            y = self.y(value)
            yield _line(_LEFT, y, _RIGHT, y, _COLOURS[engine], ' stroke-dasharray="6 4"')

    def curve(self) -> Iterator[str]:
        """The engine with privacy."""
        places = [(self.x(epsilon), self.y(value)) for epsilon, value in self.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{path}" fill="none" stroke="{_PRIVATE}" stroke-width="2.5"/>'
        for (x, y), (_, value) in zip(places, self.points, strict=True):
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{_PRIVATE}"/>'
            yield from _haloed(x, y + 19, f"{value:.2f}")

    def labels(self) -> Iterator[str]:
        """What each line is, at its right end, moved apart where they would overlap."""
        wanted = [
            (self.y(value), f"{_NAMES[engine]} {value:.2f}", _COLOURS[engine])
            for engine, value in self.levelled
        ]
        if self.points:
            _, last = self.points[-1]
            wanted.append((self.y(last), "dp, with privacy", _PRIVATE))
        wanted.sort()
        for (y, words, colour), place in zip(wanted, _apart([w[0] for w in wanted]), strict=True):
            yield _line(_RIGHT + 2, y, _RIGHT + 18, place, colour)
            yield _text(_RIGHT + 22, place + 4, words, colour)


def _apart(wanted: Sequence[float]) -> list[float]:
    """Places near those wanted, in the same order, none closer to the next than a line of text."""
    found: list[float] = []
    for y in wanted:
        found.append(max(y, found[-1] + _APART) if found else y)
    over = max(found[-1] - _BOTTOM, 0.0) if found else 0.0
    for i in range(len(found) - 1, -1, -1):
        ceiling = _BOTTOM if i == len(found) - 1 else found[i + 1] - _APART
        found[i] = min(found[i], ceiling) if over else found[i]
    return found


def _words(found: Tradeoff) -> Iterator[str]:
    budget = "one fit" if found.fits == 1 else f"{found.fits} fits"
    yield _text(_LEFT, 26, f"Utility and privacy of {found.unit}", _INK, size=17)
    yield _text(
        _LEFT, 46, "1 - mean total variation distance to real rows that were never shown", _PALE
    )
    yield _text(
        _LEFT, 63, f"{found.shown:,} entities shown, {found.held_out:,} judge; delta"
        f" {found.delta:g}, budget of {budget}", _PALE,
    )  # fmt: skip
    if not found.private:
        yield _text(_WIDTH - 16, 26, "NOT PRIVATE: seeded noise", "#b00020", "end")
    yield _text(_LEFT, _HEIGHT - 16, WARNING[0].upper() + WARNING[1:], _PALE, size=11)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"'
        f' stroke-width="1.5"{more}/>'
    )


def _haloed(x: float, y: float, words: str) -> Iterator[str]:
    """Words that lie on lines: first their white edge, as not every viewer knows `paint-order`."""
    edge = ' stroke="#ffffff" stroke-width="4" stroke-linejoin="round"'
    yield _text(x, y, words, "#ffffff", "middle", more=edge)
    yield _text(x, y, words, _PRIVATE, "middle")


def _text(
    x: float, y: float, words: str, colour: str, anchor: str = "start", size: int = 13,
    more: str = "",
) -> str:  # fmt: skip
    shown = escape("".join(c if c.isprintable() else "?" for c in words))
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}"'
        f"{more}>{shown}</text>"
    )
