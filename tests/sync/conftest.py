"""The transport of the API's tests serves here too."""

from __future__ import annotations

from tests.api.conftest import client, fake_clock, make_call, session, transport

__all__ = ["client", "fake_clock", "make_call", "session", "transport"]
