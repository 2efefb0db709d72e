"""What each stream is doing: for the progress, for the log line of a wait, and to choose whose call is next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Activity:
    """What one stream is doing."""

    stream: str = ""
    test_id: str = ""
    wait_ends: float = 0.0  # end of the current or latest wait, by the monotonic clock
    key: float | None = None  # in the history: its time as negative epoch seconds; None: news
    at: str = ""  # time of the session that is being fetched
    turn: int = 0  # number of this stream; the lower one goes first among equals
    idle: bool = False  # nothing is left to do until news arrives

    def begin(self, stream: str, test_id: str = "") -> None:
        """Begin a stream, or its next test."""
        self.stream = stream
        self.go_to(test_id)

    def go_to(self, test_id: str, key: float | None = None) -> None:
        """Go on to another test."""
        self.test_id, self.key = test_id, key
        self.at = ""

    def __str__(self) -> str:
        """Return stream and test, as far as they are known."""
        return ", ".join([self.stream or "starting", *([f"test {self.test_id}"] if self.test_id else [])])
