"""What the tap promises whoever runs it and whoever reads its messages."""

from __future__ import annotations
