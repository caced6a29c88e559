#!/bin/bash
# The command of this machine's warehouse, as the user that its services run as.
#
#   clickstream status                 any command of clickstream
#   clickstream --run dagster ...      another program of the release: dagster, dagster-daemon, python
set -euo pipefail
[ "$(id -u)" = 0 ] || exec sudo -- "$0" "$@"
set -a
# shellcheck source=/dev/null
. /etc/clickstream/warehouse.env
set +a
program=clickstream
if [ "${1:-}" = --run ]; then
    program=${2:?a program of the release}
    shift 2
fi
cd "$CLICKSTREAM_HOME"
exec runuser -u clickstream -- "/opt/clickstream/current/bin/$program" "$@"
