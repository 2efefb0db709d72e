"""The doctor: tries what the tap assumes of the servers, and reports it without any value that they sent."""

from __future__ import annotations
