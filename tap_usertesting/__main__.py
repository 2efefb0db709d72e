"""`python -m tap_usertesting` is the command `tap-usertesting`."""

from __future__ import annotations

from tap_usertesting.tap import TapUserTesting

if __name__ == "__main__":
    TapUserTesting.cli()
