"""Tests of the tap, against the sandbox and through the real command line where they can."""

from __future__ import annotations
