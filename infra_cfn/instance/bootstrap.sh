#!/bin/bash
# Makes a fresh Amazon Linux 2023 or Debian machine the warehouse: PostgreSQL, Dagster, the dashboard. Run it again after an
# upgrade or a change of settings: it brings the machine to the state that it describes, and leaves the data alone.
#
#   bootstrap.sh [SETTINGS]     as root; SETTINGS is a file like machine.env.example, /etc/clickstream/machine.env by default
set -euo pipefail

INSTANCE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SETTINGS=${1:-/etc/clickstream/machine.env}
LOG=/var/log/clickstream-bootstrap.log
STEP=settings
export HOME=${HOME:-/root} # cloud-init sets none
umask 022
exec > >(tee -a "$LOG") 2>&1

log() { printf '%s %s: %s\n' "$(date -u +%FT%TZ)" "$STEP" "$*"; }
fail() {
    log "$*"
    exit 1
}

# CloudFormation waits for one of these. The URL is a presigned one of S3, which the gateway endpoint reaches, and refuses a
# content type. A machine without it has nobody who waits.
signal() {
    [ -n "${WAIT_URL:-}" ] || return 0
    local body
    body=$(printf '{"Status":"%s","Reason":"%s","UniqueId":"bootstrap","Data":"%s"}' "$1" "$2" "$(uname -n)")
    curl --silent --show-error --fail --max-time 20 --retry 5 -X PUT -H 'Content-Type:' --data-binary "$body" "$WAIT_URL" \
        || log "the signal $1 did not go through"
}

at_exit() {
    local code=$?
    [ "$code" = 0 ] && return
    log "failed"
    signal FAILURE "Step $STEP failed: see $LOG on the machine"
}
trap at_exit EXIT

[ "$(id -u)" = 0 ] || fail "run it as root"
[ -r "$SETTINGS" ] || fail "cannot read $SETTINGS; machine.env.example shows what it holds"
set -a
# shellcheck source=machine.env.example
. "$SETTINGS"
set +a
[ -n "${RAW_BUCKET_NAME:-}" ] || fail "$SETTINGS names no RAW_BUCKET_NAME"
# shellcheck source=places.sh
. "$INSTANCE/places.sh"

for file in "$INSTANCE"/steps/*.sh; do
    STEP=$(basename "$file" .sh)
    log "begins"
    # shellcheck source=/dev/null
    . "$file"
done

STEP=end
log "the machine is ready"
signal SUCCESS "The machine is ready"
