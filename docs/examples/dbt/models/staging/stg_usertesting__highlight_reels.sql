{{ config(enabled=var('usertesting_has_highlight_reels')) }}

select
    test_id,
    reel_id,
    name as reel_name,
    duration_ms / 1000.0 as seconds,
    num_clips as clips,
    are_all_clips_in_reel,
    last_updated_at
from {{ usertesting.table('highlight_reels') }}
