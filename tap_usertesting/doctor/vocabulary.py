"""The words that a report may hold: field names that the vendors document, and words of header names. Pure.

Everything else that a server names may be personal, such as an e-mail address that is the key of an object.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

_RESULTS = """
    answer answers areAllClipsInReel appearance attitudinal audienceId behavioral blank camera clipUrl clipUuid
    clips code completes components demographicsInfo description durationMs endTimeMs expiresAt figma finishTime
    hasAudio hasCamera heightPx id image label lastUpdatedAtMs layout limit loyalty mainStream matrix meta
    multipleChoice name nps numClips offset pagination participantId pipPosition pipState qxScore qxScores rankOrder
    ratingScale reelId reelUrl reels response score screen sequence sessionId sessionParticipant sessionTaskResults
    sessions skipped startTime startTimeMs status studyUuid studyWithClips taskGroupId taskGroups taskId
    taskResponse taskType tasks testId testPlanId text timeEndMs timeStartMs topLeftPoint totalCount totalQxTasks
    trust type url usability uuid value values videoRegions videoUrl videoUuid widthPx written x y
    blankSpecificFields figmaSpecificFields imageSpecificFields matrixSpecificFields multipleChoiceSpecificFields
    npsSpecificFields rankOrderSpecificFields ratingScaleSpecificFields urlSpecificFields verbalSpecificFields
    writtenSpecificFields
"""
# What the vendor may well use inside the objects that it does not describe.
_ANSWERS = """
    choice choices column columns comment correct duration figmaPrototypeDisplaySetting figmaPrototypeTitle index
    items lowerEndpoint max maxLimit maximum min minimum multiSelect multipleAnswers option optionId options order
    other percentage position prototypeUrl question questionId randomizedOptions rank ranking rating result row rows
    scale scaleMaximum scaleMinimum selected selectedOptions statement success successful time title transcript urls
"""
_LEGACY = "cursor email errorCode errorMessage orderedAt orderedBy productType studies workspaces"
_ERRORS = """
    detail details error error_description error_uri errorCauses errorId errorLink errorSummary errors extensions
    instance locations message path reason statusCode timestamp traceId
"""
_GRANT = "access_token expires_in refresh_token scope token_type"
_FEED = """
    changeType changedAt cost count data edges info latestCursor line node ratelimit remaining responseUuid
    testResultChanges testResultChangesCount testResultId window_reset
"""
FIELDS = frozenset(f"{_RESULTS} {_ANSWERS} {_LEGACY} {_ERRORS} {_GRANT} {_FEED}".split())

_ALIAS = re.compile(r"t\d{1,2}")  # our own names for the tests of a request to the feed
ALIAS = "tN"

_HEADERS = """
    accept access after age agent akamai alive allow allowed alt amz api apigw apim authenticate authorization
    backend bucket burst by cache cf cloudfront connection content control cookie correlation cross csp date day
    disposition dns embedder encoding envoy etag expect expires expose exposed forwarded frame front gateway headers
    hit hits hour id keep kong language last latency length limit limited limits location max method methods minute
    modified month nel okta opener options origin p3p period permissions pod policy pop powered pragma protection
    proto proxy public quota ranges rate ratelimit ray referrer region remaining report reporting request requested
    requests reset resource response retry robots runtime scope second security served server service set sniff
    source status strict sunset svc time timeout timestamp timing to trace trailer transfer transport type unit
    upgrade upstream used user vary version via warning window www x xss
"""
HEADER_WORDS = frozenset(_HEADERS.split())


class Namer:
    """Gives each name that is not known a number of its own: `unknown_1`, `unknown_2` and so on."""

    def __init__(self) -> None:
        """Know no name yet."""
        self._numbers: dict[Hashable, int] = {}

    def field(self, name: str) -> str:
        """Return the name of a field as a report may show it."""
        if name in FIELDS:
            return name
        return ALIAS if _ALIAS.fullmatch(name) else self._unknown("field", name)

    def header(self, name: str) -> str:
        """Return the name of a header, in lower case, if it has no words but technical ones."""
        name = name.lower()
        return name if HEADER_WORDS.issuperset(name.split("-")) else self._unknown("header", name)

    def _unknown(self, kind: str, name: str) -> str:
        return f"unknown_{self._numbers.setdefault((kind, name), len(self._numbers) + 1)}"
