"""The pure rooms one by one, and the transport against small servers."""

from __future__ import annotations
