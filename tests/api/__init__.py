"""The two APIs: transport, quota, clients."""

from __future__ import annotations
