"""Everything that is Singer: the bases of the streams, the state, the messages and the command line."""

from __future__ import annotations
