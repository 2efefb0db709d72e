"""What is loaded into every warehouse: one recording of three syncs."""

from __future__ import annotations

import pytest

from tests.e2e.warehouses.recorded import Recording, record
from tests.e2e.warehouses.tables import Streams
from tests.support.harness import parse


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Three syncs of one sandbox."""
    return record(tmp_path_factory.mktemp("recording"))


@pytest.fixture(scope="session")
def streams(recording: Recording) -> Streams:
    """The streams' schemas and keys."""
    return Streams.of(parse(recording.output("first")))
