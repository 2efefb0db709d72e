"""What tests share: runs of the tap, warehouses that follow a sandbox, fake and simulated time, small servers."""

from __future__ import annotations
