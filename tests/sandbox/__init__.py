"""Tests of the sandbox by real requests."""

from __future__ import annotations
