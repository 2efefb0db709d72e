"""Figures beside their bounds: `1.031 (at most 1.05) ok`.

Figures of time are ratios of what was measured side by side, the best of some rounds, since other work on the machine
only ever adds time. One that misses its bound says so and fails nothing: that is for what is exact, such as calls.
"""

from __future__ import annotations


def at_most(value: float, bound: float, form: str = ".3f") -> str:
    """Return a figure that is better the lower it is."""
    return _told(value, "at most", bound, form, kept=value <= bound)


def at_least(value: float, bound: float, form: str = ".3f") -> str:
    """Return a figure that is better the higher it is."""
    return _told(value, "at least", bound, form, kept=value >= bound)


def _told(value: float, which: str, bound: float, form: str, *, kept: bool) -> str:
    shown = f"{bound:.0%}" if form.endswith("%") else f"{bound:g}"
    return f"{value:{form}} ({which} {shown}) {'ok' if kept else 'MISSED'}"
