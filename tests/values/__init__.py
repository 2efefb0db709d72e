"""Times, columns, transcripts, personal data."""

from __future__ import annotations
