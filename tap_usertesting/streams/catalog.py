"""All streams of the tap, in the order in which it reads them: cheap ones first, so that rows arrive early.

To add a stream, add a file beside this one, its schema in `schemas/`, and a line here.
"""

from __future__ import annotations

from tap_usertesting.streams.highlight_reels import HighlightReelsStream
from tap_usertesting.streams.participant_demographics import ParticipantDemographicsStream
from tap_usertesting.streams.qx_scores import QxScoresStream
from tap_usertesting.streams.result_changes import ResultChangesStream
from tap_usertesting.streams.session_clips import SessionClipsStream
from tap_usertesting.streams.session_details import SessionDetailsStream
from tap_usertesting.streams.session_videos import SessionVideosStream
from tap_usertesting.streams.sessions import SessionsStream
from tap_usertesting.streams.sync_status import SyncStatusStream
from tap_usertesting.streams.task_responses import TaskResponsesStream
from tap_usertesting.streams.tests import TestsStream
from tap_usertesting.streams.transcript_cues import TranscriptCuesStream
from tap_usertesting.streams.transcripts import TranscriptsStream
from tap_usertesting.streams.workspaces import WorkspacesStream

STREAMS = (
    WorkspacesStream,
    TestsStream,
    SyncStatusStream,
    SessionsStream,
    ResultChangesStream,
    QxScoresStream,
    HighlightReelsStream,
    SessionDetailsStream,
    TaskResponsesStream,
    ParticipantDemographicsStream,
    TranscriptsStream,
    TranscriptCuesStream,
    SessionClipsStream,
    SessionVideosStream,
)
