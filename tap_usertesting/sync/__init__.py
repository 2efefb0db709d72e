"""One sync: whose call is next, and the way from a log over a ledger to rows."""

from __future__ import annotations
