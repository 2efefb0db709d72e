"""`--doctor`: its verdicts, its report, and a sandbox that answers as the server of a report did."""

from __future__ import annotations
