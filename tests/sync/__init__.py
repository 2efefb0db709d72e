"""The parts of one sync that are pure, or nearly."""

from __future__ import annotations
