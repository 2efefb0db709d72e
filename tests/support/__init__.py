"""What tests share: the tap as a user runs it, time that jumps, servers, and stories of one warehouse."""

from __future__ import annotations
