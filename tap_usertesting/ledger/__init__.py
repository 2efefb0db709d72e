"""Which part of a test's log a stream has handled, and what is to be done next. Pure: values in, values out.

change_log.py          what was read of a test's log
change_types.py        what can happen to a session
stream_policy.py       what differs from stream to stream
ledger.py              the ledger itself, and how a reading begins
needs.py               what has to be read before an agenda can be made
handled_sessions.py    which sessions of the list a ledger has handled
reading.py             one ledger before one log, and what every part of the agenda asks of the two
net_changes.py         what a run of changes comes to for each session
agenda_items.py        the items of an agenda
agenda_by_feed.py      what the feed brings to an agenda
agenda_by_list.py      what the list brings to an agenda
tests_without_rows.py  a test that may have no row at all
agenda.py              what is to be done, in order
tally.py               how many sessions have a row, and what became of the others
counting.py            how a tally moves
completeness.py        how complete the rows are, in the words of `sync_status`
settle.py              what an answer makes true, and what the end of a test makes true
doubt.py               what a 404 and a fault say of the test
state_keys.py          the form on disk
"""

from __future__ import annotations
