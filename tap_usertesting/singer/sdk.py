"""What this tap overrides or uses of the Singer SDK, and why.

A new version of the SDK may change any of it: `tests/architecture/test_sdk.py` fails if it did, or if this list and the
code differ. `make next-sdk` runs the tests with the newest pre-release.
"""

from __future__ import annotations

# Public, and meant to be overridden: the SDK's class and member.
HOOKS = {
    "PluginBase.cb_config": "config files in every form that users have; an error of one is one line",
    "PluginBase.cli": "a wrong log level or logging config is one line, not a traceback",
    "PluginBase.config_jsonschema": "the settings",
    "Stream.STATE_MSG_FREQUENCY": "STATE is written by time, not by count",
    "Stream.TYPE_CONFORMANCE_LEVEL": "rows are built from the stream's own schema and need not be conformed again",
    "Stream.__init__": "partitions by test",
    "Stream.apply_catalog": "keys stay, personal columns go, LOG_BASED counts as INCREMENTAL",
    "Stream.check_sorted": "cursors are opaque",
    "Stream.generate_child_contexts": "there are no child streams; the SDK would run the user's filter once more",
    "Stream.get_record_counter": "METRIC counts what was written: after stream maps, and while the lead ran as well",
    "Stream.get_records": "the rows",
    "Stream.get_replication_key_signpost": "no bookmark is held back by the time of the sync",
    "Stream.get_sync_timer": "METRIC does not name the last test as if it were all of them",
    "Stream.is_sorted": "a stream can be resumed",
    "Stream.partitions": "tests do not come one after another",
    "Stream.primary_keys": "the keys",
    "Stream.replication_key": "the bookmark",
    "Stream.replication_method": "FULL_TABLE also where a catalog names INCREMENTAL and no replication key",
    "Stream.schema": "the schema file, without what exclude_personal_data leaves out",
    "Stream.selected_by_default": "whether the stream is",
    "Stream.state_manager": "ledgers in place of the SDK's bookmarks",
    "StreamStateManager.__init__": "a stream that keeps no state gets an empty one",
    "StreamStateManager.finalize_state": "there are no progress markers",
    "StreamStateManager.get_context_state": "an index avoids a quadratic search among a thousand tests",
    "StreamStateManager.get_state_partitions": "as `stream_state`",
    "StreamStateManager.increment_state": "a ledger moves after the `yield`, not by the key of the last row",
    "StreamStateManager.stream_state": "an entry is added only if there is something to keep",
    "StreamStateManager.write_starting_replication_value": "start_date is not a value of the opaque cursor",
    "Tap.__init__": "settings, catalog and state are copied, because the SDK changes them",
    "Tap.capabilities": "no batches",
    "Tap.discover_streams": "the catalog",
    "Tap.get_singer_command": "--plan and --doctor; files are read where an error of one becomes one line",
    "Tap.load_state": "the sound parts of a damaged state are used",
    "Tap.message_writer_class": "whole lines, even if standard output is a raw file",
    "Tap.state_writer": "STATE only if it changed; the order of `waiting` matters",
    "Tap.streams": "in the order of the catalog, not of the alphabet",
    "MsgSpecWriter.write_message": "whole lines",
}

# Not meant to be overridden.
BENT = {
    "PluginBase._env_var_config": "the SDK turns any word into True or False, and prefers .env to exported variables",
    "PluginBase._setup_signal_handlers": "the caller's handlers stay until a run begins",
    "PluginBase._validate_config": "each wrong setting is one line, without the value of a secret",
    "Stream._write_activate_version_message": "ACTIVATE_VERSION comes after the rows: before, an error would drop them",
    "Stream._write_record_message": "each row has exactly the columns of its SCHEMA; a map that fails is one line",
    "Stream._write_schema_message": "followers need their SCHEMA while the lead runs",
    "Tap.invoke": "--test checks what a sync needs first; --plan and --doctor",
    "Tap.run_connection_test": "checks what a sync needs, and ends with a status that tells",
    "Tap.setup_mapper": "maps of streams that are not selected fail in the SDK",
    "Tap.sync_all": "streams run side by side, and the exit status tells whether anything failed",
    "Tap.write_schemas": "of the selected streams only",
}

# Private, and used as it is.
USED = {
    "_ConfigInput": "a type, of `cb_config`",
    "_config": "settings are converted to the schema's types before anything uses them",
    "_generate_record_messages": "stream maps, in `_write_record_message`",
    "_generate_schema_messages": "the columns of each SCHEMA",
    "_initialized_at": "the version of a FULL_TABLE stream that follows a lead",
    "_state": "`StreamStateManager` is public, its module is not",
    "_stream_version": "as `_initialized_at`",
    "_streams": "`Tap.streams` stores the streams there",
    "_tap": "a stream's tap",
}

# Not overridden, but its behaviour is relied on.
RELIED_ON = {
    "Stream._generate_record_messages": "conforms, masks and maps a row, and does nothing else",
    "Stream._generate_schema_messages": "one SCHEMA for each stream map",
    "Stream._sync_records": "code after a `yield` in `get_records` runs once the row is written",
    "Stream._write_state_message": "writes through `Tap.state_writer`, unless the state manager says it is flushed",
    "Stream.finalize_state_progress_markers": "asks the state manager, then writes STATE",
    "Stream.sync": "writes the SCHEMA, then syncs the rows",
    "Tap.run_sync_dry_run": "sets ABORT_AT_RECORD_COUNT, and ends a stream at its second record",
}
