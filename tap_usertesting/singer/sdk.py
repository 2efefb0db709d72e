"""What this tap overrides or uses of the Singer SDK, and why.

A new version of the SDK may change any of it: `tests/house/test_sdk.py` fails when it has, and when this list and
the code differ. `make next-sdk` runs the tests with the newest pre-release.
"""

from __future__ import annotations

# Public, and meant to be overridden. The names stand as the SDK's class and member.
HOOKS = {
    "PluginBase.cb_config": "a config file in any form in which people hand it over; what is wrong with it is one line",
    "PluginBase.cli": "log levels and logging configs that are none end in a line and not in a traceback",
    "PluginBase.config_jsonschema": "the settings",
    "Stream.STATE_MSG_FREQUENCY": "STATE is written by time, not by count",
    "Stream.TYPE_CONFORMANCE_LEVEL": "rows are made by the stream's own schema, and need not be made to fit again",
    "Stream.__init__": "partitions by test",
    "Stream.apply_catalog": "keys stay, personal columns go, LOG_BASED counts as INCREMENTAL",
    "Stream.check_sorted": "cursors are opaque",
    "Stream.generate_child_contexts": "there are no child streams; the SDK would run the user's filter once more",
    "Stream.get_record_counter": "rows that rode along count too",
    "Stream.get_records": "the rows",
    "Stream.get_replication_key_signpost": "no bookmark is held back by the time of the sync",
    "Stream.is_sorted": "a stream can be resumed",
    "Stream.partitions": "tests do not come one after another",
    "Stream.post_process": "rows are counted",
    "Stream.primary_keys": "the keys",
    "Stream.replication_key": "the bookmark",
    "Stream.replication_method": "FULL_TABLE also where a catalog names INCREMENTAL and no replication key",
    "Stream.schema": "the schema file, without what exclude_personal_data leaves out",
    "Stream.selected_by_default": "which streams are",
    "Stream.state_manager": "ledgers in place of the SDK's bookmarks",
    "StreamStateManager.__init__": "a stream that keeps no state has an empty one",
    "StreamStateManager.finalize_state": "there are no progress markers",
    "StreamStateManager.get_context_state": "an index keeps a thousand tests from a quadratic search",
    "StreamStateManager.get_state_partitions": "as `stream_state`",
    "StreamStateManager.increment_state": "a ledger moves after the `yield`, and not by the last row's key",
    "StreamStateManager.stream_state": "an entry is made only where there is something to keep",
    "StreamStateManager.write_starting_replication_value": "start_date is no value of an opaque cursor",
    "Tap.__init__": "settings, catalog and state are copied, as the SDK writes into what it is given",
    "Tap.capabilities": "no batches",
    "Tap.discover_streams": "the catalog",
    "Tap.get_singer_command": "--plan; files are read where what is wrong with them is one line",
    "Tap.load_state": "a state that is damaged in part is used for the rest",
    "Tap.message_writer_class": "whole lines, also on a raw standard output",
    "Tap.state_writer": "STATE when something moved, in which the order of `waiting` counts",
    "Tap.streams": "in the order of the catalog and not of the alphabet",
    "MsgSpecWriter.write_message": "whole lines",
}

# Not meant to be overridden.
BENT = {
    "PluginBase._env_var_config": "the SDK makes True or False of any word, and prefers .env to exported variables",
    "PluginBase._setup_signal_handlers": "the caller's handlers stay until a run begins",
    "PluginBase._validate_config": "each wrong setting is one line, without the value of a secret",
    "Stream._write_activate_version_message": "ACTIVATE_VERSION comes after the rows: before, an error would drop them",
    "Stream._write_record_message": "each row has exactly the columns of its SCHEMA; a map that fails is one line",
    "Stream._write_schema_message": "rows that ride along need the SCHEMA before their stream's turn",
    "Tap.invoke": "--test checks what a sync needs first; --plan",
    "Tap.run_connection_test": "checks what a sync needs, with an exit status that tells",
    "Tap.setup_mapper": "maps of streams that are not selected fail in the SDK",
    "Tap.sync_all": "streams run side by side, and the exit status tells what came of them",
    "Tap.write_schemas": "of the selected streams only",
}

# Private, and used as it is.
USED = {
    "_ConfigInput": "a type, of `cb_config`",
    "_config": "settings are read into the schema's types before anything else looks at them",
    "_generate_record_messages": "stream maps, in `_write_record_message`",
    "_generate_schema_messages": "the columns of each SCHEMA",
    "_initialized_at": "the version of a FULL_TABLE stream whose rows ride along",
    "_state": "`StreamStateManager` is public, its module is not",
    "_stream_version": "as `_initialized_at`",
    "_streams": "`Tap.streams` keeps them there",
    "_tap": "the way from a stream to its tap",
}

# Left as it is, but what it does is relied on.
RELIED_ON = {
    "Stream._generate_record_messages": "conforms, masks and maps a row, and does nothing else",
    "Stream._generate_schema_messages": "one SCHEMA for each stream map",
    "Stream._sync_records": "what stands after a `yield` in `get_records` is done once the row was written",
    "Stream._write_state_message": "writes through `Tap.state_writer`, unless the state manager says it is flushed",
    "Stream.finalize_state_progress_markers": "asks the state manager, then writes STATE",
    "Stream.sync": "writes the SCHEMA, then syncs the rows",
    "Tap.run_sync_dry_run": "sets ABORT_AT_RECORD_COUNT, and ends a stream at its second record",
}
