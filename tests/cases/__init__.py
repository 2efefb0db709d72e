"""The first half of the cases that broke earlier drafts of the design, one test each, told as stories."""

from __future__ import annotations
