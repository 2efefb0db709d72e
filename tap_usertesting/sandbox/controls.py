"""What the back door and its page use of a sandbox. ``server.py`` imports them, so they cannot name ``Sandbox``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import threading

    from tap_usertesting.sandbox.faults import Orders
    from tap_usertesting.sandbox.quota import QuotaRule, ServedQuota
    from tap_usertesting.sandbox.requests_and_replies import Json, ServedCall
    from tap_usertesting.sandbox.tokens import Tokens
    from tap_usertesting.sandbox.world import World


class Controls(Protocol):
    """A running sandbox."""

    url: str
    world: World
    tokens: Tokens
    quota: ServedQuota
    orders: Orders
    feed_token: str
    stop_requested: threading.Event

    @property
    def calls(self) -> list[ServedCall]:
        """Every call so far."""

    def clear_calls(self) -> None:
        """Forget the calls so far."""

    def config(self) -> Json:
        """Return settings for the tap."""

    def fail(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - see `Sandbox.fail`
        """Order a fault for calls to come."""

    def revoke_tokens(self) -> None:
        """Make every token issued so far invalid."""

    def set_quota(self, rule: QuotaRule | None) -> None:
        """Change the quota."""
