"""The SQL of the demo's page, as the page shows it. Each query needs nothing but the tables that the demo made.

`usertesting` is the schema that target-postgres wrote. `demo` is the demo's own, see `evidence.py`.
"""

from __future__ import annotations

FIGURES = """\
SELECT
  (SELECT count(*) FROM usertesting.sessions WHERE deleted_at IS NULL) AS sessions,
  (SELECT count(DISTINCT test_id) FROM usertesting.sessions WHERE deleted_at IS NULL) AS tests,
  (SELECT count(*) FROM usertesting.sessions WHERE deleted_at IS NOT NULL) AS removed,
  (SELECT count(*) FROM usertesting.transcripts WHERE deleted_at IS NULL) AS transcripts,
  (SELECT sum(cardinality(cues)) FROM usertesting.transcripts) AS cues,
  count(*) FILTER (WHERE sync = 1 AND window_closes IS NOT NULL) AS first_sync,
  count(*) FILTER (WHERE sync = 2 AND window_closes IS NOT NULL) AS second_sync,
  count(*) FILTER (WHERE sync = 3 AND window_closes IS NOT NULL) AS third_sync,
  count(*) FILTER (WHERE sync = 3 AND kind = 'feed') AS third_sync_feed,
  count(*) FILTER (WHERE status = 429) AS refused
FROM demo.calls"""

NEWEST = """\
SELECT to_char(finish_time, 'DD Mon HH24:MI') AS finished, title AS test,
       coalesce(cardinality(tasks), 0) AS tasks, left(text, 24) AS said
FROM usertesting.sessions AS s
JOIN usertesting.tests USING (test_id)
LEFT JOIN usertesting.session_details AS d USING (session_id)
LEFT JOIN usertesting.transcripts AS t USING (session_id)
WHERE s.deleted_at IS NULL
ORDER BY finish_time DESC NULLS LAST, session_id
LIMIT 8"""

# What the rows of the three tables of sessions say, as one JSON object for each row.
CONTENTS = """\
  SELECT 'sessions' AS "table", test_id, session_id, jsonb_strip_nulls(jsonb_build_object(
    'status', status,
    'finished', to_char(finish_time, 'FMDD Mon HH24:MI'),
    'last change', change_type || to_char(changed_at, ', FMDD Mon HH24:MI'),
    'deleted_at', to_char(deleted_at, 'FMDD Mon HH24:MI'))) AS content
  FROM usertesting.sessions
  UNION ALL
  SELECT 'session_details', test_id, session_id, jsonb_strip_nulls(jsonb_build_object(
    'last change', change_type || to_char(changed_at, ', FMDD Mon HH24:MI'),
    'deleted_at', to_char(deleted_at, 'FMDD Mon HH24:MI'))) || coalesce((
      SELECT jsonb_object_agg(task ->> 'text', answered)
      FROM unnest(tasks) AS task
      CROSS JOIN LATERAL jsonb_path_query_first(task, '$.response.answer.*.value') AS answered
      WHERE answered IS NOT NULL), '{}')
  FROM usertesting.session_details
  UNION ALL
  SELECT 'transcripts', test_id, session_id, jsonb_strip_nulls(jsonb_build_object(
    'cues', cardinality(cues),
    'text', left(regexp_replace(text, '\\s+', ' ', 'g'), 120) || '…',
    'last change', change_type || to_char(changed_at, ', FMDD Mon HH24:MI'),
    'deleted_at', to_char(deleted_at, 'FMDD Mon HH24:MI')))
  FROM usertesting.transcripts"""

CHANGES = f"""\
-- demo.before holds the rows of "now" as they were before the second sync
WITH now AS (
{CONTENTS}
),
compared AS (
  SELECT
    CASE
      WHEN now.content ? 'deleted_at' THEN 'removed'
      WHEN was.content IS NOT NULL THEN 'changed'
      WHEN "table" = 'transcripts' AND session_id IN (SELECT session_id FROM demo.before) THEN 'late transcript'
      ELSE 'new'
    END AS what,
    title AS test,
    session_id AS session,
    "table",
    (SELECT json_object_agg(key, value ORDER BY key = 'last change', key)
       FROM jsonb_each(was.content)
       WHERE value IS DISTINCT FROM now.content -> key) AS before,
    (SELECT json_object_agg(key, value ORDER BY key = 'last change', key)
       FROM jsonb_each(now.content)
       WHERE value IS DISTINCT FROM was.content -> key) AS after
  FROM now
  LEFT JOIN demo.before AS was USING ("table", session_id)
  JOIN usertesting.tests ON tests.test_id = now.test_id
  WHERE now.content IS DISTINCT FROM was.content
)
SELECT * FROM compared
ORDER BY
  array_position(ARRAY['removed', 'changed', 'new', 'late transcript'], what),
  session,
  array_position(ARRAY['sessions', 'session_details', 'transcripts'], "table")"""  # noqa: S608 - constants of this module

HAS_STATUS = """\
SELECT 1 AS found
FROM information_schema.tables
WHERE table_schema = 'usertesting' AND table_name = 'sync_status'"""

MISSING = """\
WITH live AS (
  SELECT 'sessions' AS stream, test_id, count(*) AS rows
  FROM usertesting.sessions WHERE deleted_at IS NULL GROUP BY test_id
  UNION ALL
  SELECT 'session_details', test_id, count(*)
  FROM usertesting.session_details WHERE deleted_at IS NULL GROUP BY test_id
  UNION ALL
  SELECT 'transcripts', test_id, count(*)
  FROM usertesting.transcripts WHERE deleted_at IS NULL GROUP BY test_id
)
SELECT
  title AS test,
  stream,
  status,
  source_count,
  unread,
  waiting,
  given_up,
  left_out,
  source_count - unread - waiting - given_up - left_out AS expected,
  coalesce(rows, 0) AS rows
FROM usertesting.sync_status
LEFT JOIN live USING (stream, test_id)
WHERE source_count IS NOT NULL AND stream IN ('sessions', 'session_details', 'transcripts')
ORDER BY title, stream"""

WINDOWS = """\
-- "at" counts from the first call of a sync; here the seconds count from its first call under the quota.
-- A window that is not used up makes the tap wait for nothing.
WITH counted AS (
  SELECT sync, quota, window_closes, at - min(at) OVER (PARTITION BY sync) AS at
  FROM demo.calls
  WHERE window_closes IS NOT NULL
)
SELECT
  sync,
  row_number() OVER (PARTITION BY sync ORDER BY window_closes) AS "window",
  count(*) AS calls,
  round(min(at)::numeric, 3) AS first_call,
  round(max(at)::numeric, 3) AS last_call,
  CASE WHEN count(*) >= quota THEN
    round((lead(min(at)) OVER (PARTITION BY sync ORDER BY window_closes) - max(at))::numeric, 3)
  END AS wait
FROM counted
GROUP BY sync, quota, window_closes
ORDER BY sync, window_closes"""

QX_SCORES = """\
SELECT title, label, qx_score, components_behavioral, components_attitudinal
FROM usertesting.qx_scores
JOIN usertesting.tests USING (test_id)
ORDER BY title, label"""

ANSWERS = """\
WITH answers AS (
  SELECT title AS test, task ->> 'text' AS question, task -> 'response' -> 'answer' AS answer
  FROM usertesting.session_details AS details
  JOIN usertesting.tests USING (test_id)
  CROSS JOIN LATERAL unnest(details.tasks) AS task
  WHERE details.deleted_at IS NULL
)
"""

RATINGS = f"""\
{ANSWERS}SELECT
  test,
  question,
  scale -> 'labels' ->> 'low' AS low,
  scale -> 'labels' ->> 'high' AS high,
  (scale ->> 'value')::int AS value,
  count(*) AS answers
FROM answers
CROSS JOIN LATERAL (SELECT answer -> 'ratingScale' AS scale) AS given
WHERE scale ->> 'value' IS NOT NULL
GROUP BY test, question, low, high, value
ORDER BY test, question, value"""  # noqa: S608 - constants of this module

CHOICES = f"""\
{ANSWERS}SELECT test, question, chosen ->> 'label' AS option, count(*) AS answers
FROM answers
CROSS JOIN LATERAL jsonb_path_query(answer, '$.multipleChoice.selected[*]') AS chosen
GROUP BY test, question, option
ORDER BY test, question, answers DESC, option"""  # noqa: S608 - constants of this module

EVENTS = """\
SELECT change_type AS type, changed_at::date AS day, count(*) AS events
FROM usertesting.result_changes
GROUP BY type, day
ORDER BY type, day"""

TRANSCRIPT = """\
SELECT session_id, title, cues
FROM usertesting.transcripts
JOIN usertesting.tests USING (test_id)
WHERE cues IS NOT NULL
ORDER BY cardinality(cues) DESC, session_id
LIMIT 1"""
