#!/usr/bin/env bash
# One sync from a tap into a target, with a state file that survives crashes: sync.sh STATE_FILE
#
# Run it again and again with the same STATE_FILE. The commands come from the environment and are split at spaces:
#   TAP     default: tap-usertesting --config=ENV
#   TARGET  default: target-jsonl
#
# STATE_FILE       the state to go on from; replaced as a whole, never written in place
# STATE_FILE.log   what the target has acknowledged in this sync; after a crash the next one takes its last whole line
# STATE_FILE.lock  held as long as a tap or target of this STATE_FILE is alive
#
# The exit status is the target's, or the tap's where the target succeeded; 75 if another sync is still running.
set -euo pipefail

state=${1:?usage: sync.sh STATE_FILE}
log=$state.log
read -r -a tap <<< "${TAP:-tap-usertesting --config=ENV}"
read -r -a target <<< "${TARGET:-target-jsonl}"

# A target repeats a STATE once it has stored the records before it, so the last one is the one to go on from. Whatever
# else a target prints, also after it, is no state; nor is a line without an end, which was cut short.
keep_state() {
  local last
  [[ -e $log ]] || return 0
  last=$({ if [[ -z $(tail -c 1 "$log") ]]; then cat "$log"; else sed '$d' "$log"; fi; } |
    grep -a '^{.*"bookmarks".*}' | tail -n 1) || true
  if [[ $last ]]; then
    printf '%s\n' "$last" > "$state.part"
    sync "$state.part" # or a power failure may leave the new name with nothing in it
    mv -f "$state.part" "$state"
  fi
  rm -f "$log"
}

# Tap and target inherit the lock: after a `kill -9` of this script alone, no second pair starts beside the first.
exec 9> "$state.lock"
flock --nonblock 9 || { echo "sync.sh: another sync of $state is still running" >&2; exit 75; }

keep_state
if [[ -s $state ]]; then tap+=(--state "$state"); fi

# In the background, because bash runs no trap while it waits for the foreground. A signal goes to the tap alone: it
# writes a last STATE and ends; the target stores what it has and ends as well.
"${tap[@]}" | "${target[@]}" >> "$log" &
tap_pid=$(jobs -p)
trap 'interrupted=yes; kill -TERM "$tap_pid" 2> /dev/null || true' TERM INT HUP
while :; do
  interrupted=''
  status=0
  wait %% || status=$?
  [[ $interrupted ]] || break
done

keep_state
exit "$status"
