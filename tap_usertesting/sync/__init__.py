"""One sync: which call comes next, and how a change log becomes rows by way of a ledger."""

from __future__ import annotations
