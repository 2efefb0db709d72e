"""Which part of a test's log a stream has handled, and what is to be done next. Pure: values in, values out.

log.py      what was read of a test's log
policy.py   what differs from stream to stream
ledger.py   the ledger itself, and how a reading begins
wanted.py   what a run of changes asks for, one item per session
agenda.py   what is to be done, in order
settle.py   what an answer makes true, and what the end of a test makes true
needs.py    what has to be read before that can be told
doubt.py    what an answer 404 and a fault say of the test
state.py    the form on disk
"""

from __future__ import annotations
