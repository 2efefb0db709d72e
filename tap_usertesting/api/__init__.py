"""The two APIs, with no Singer in it: transport below, one client per API above."""

from __future__ import annotations
