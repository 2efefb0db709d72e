"""The two APIs, with no Singer in it: `results` and `feed` are their clients, `transport` is the way to the network."""

from __future__ import annotations
