"""Singer tap for the UserTesting Results API and its response change feed."""

from __future__ import annotations

__version__ = "0.1.0"
