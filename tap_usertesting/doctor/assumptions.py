"""All that the tap assumes of the servers and a read can try, each declared once. Pure."""

from __future__ import annotations

from tap_usertesting.doctor.of_feed import OF_FEED
from tap_usertesting.doctor.of_legacy import OF_LEGACY
from tap_usertesting.doctor.of_results import OF_RESULTS

ASSUMPTIONS = (*OF_RESULTS, *OF_LEGACY, *OF_FEED)
