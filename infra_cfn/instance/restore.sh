#!/bin/bash
# Puts a backup into this machine's PostgreSQL, in place of both databases. bootstrap.sh has run here before.
# Each is restored beside the one that stands, and takes its name when it is whole: what fails leaves everything as it was.
#
#   restore.sh [--replace] [STAMP]     as root; the latest complete backup by default. A warehouse that holds events is
#                                      replaced only when asked to.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
set -a
# shellcheck source=/dev/null
. /etc/clickstream/backup.env
set +a
# shellcheck source=places.sh
. "$HERE/places.sh"
store() { "$CURRENT/bin/python" "$HERE/store.py" "$@"; }
fail() {
    echo "restore: $*" >&2
    exit 1
}

REPLACE=
if [ "${1:-}" = --replace ]; then
    REPLACE=1
    shift
fi
STAMP=${1:-$(store list | sed -nE 's|^([0-9]{8}T[0-9]{6}Z)/complete$|\1|p' | sort | tail -n 1)}
[ -n "$STAMP" ] || fail "there is no complete backup in $BACKUP_URL"
if [ -z "$REPLACE" ] && [ "$(as_postgres -d "$WAREHOUSE" -At -c 'select exists (select from clickstream_events)')" = t ]; then
    fail "this warehouse holds events; say restore.sh --replace to put the backup in their place"
fi

WORK=$(mktemp -d -p "$DATA") # on the data disk: /tmp may be memory
trap 'rm -rf "$WORK"' EXIT
chown postgres "$WORK"
cd "$WORK"
for file in complete "$WAREHOUSE.dump" dagster.dump; do store get "$STAMP/$file" > "$file"; done
sha256sum --check --quiet complete || fail "what came from $BACKUP_URL/$STAMP is not what was stored"

SERVICES=(clickstream-location clickstream-webserver clickstream-daemon clickstream-dashboard clickstream-health.timer)
[ ! -e /etc/systemd/system/timers.target.wants/clickstream-backup.timer ] || SERVICES+=(clickstream-backup.timer)
trap 'rm -rf "$WORK"; systemctl start "${SERVICES[@]}"' EXIT # whatever happens from here on
systemctl stop "${SERVICES[@]}"
for database in "$WAREHOUSE" dagster; do
    as_postgres -d postgres <<SQL
drop database if exists ${database}_restored with (force);
create database ${database}_restored template template0;
SQL
    runuser -u postgres -- "$PG_BIN/pg_restore" -h "$SOCKET" --exit-on-error --jobs 2 -d "${database}_restored" "$database.dump"
    runuser -u postgres -- "$PG_BIN/vacuumdb" -h "$SOCKET" --quiet --analyze-only -d "${database}_restored"
done
for database in "$WAREHOUSE" dagster; do
    as_postgres -d postgres <<SQL
drop database $database with (force);
alter database ${database}_restored rename to $database;
SQL
done
as_postgres -d postgres <<SQL
alter database $WAREHOUSE owner to clickstream_transformer;
alter database dagster owner to clickstream_dagster;
SQL
as_postgres -d postgres < "$HERE/roles.sql"
"$HERE/migrate.sh" # the backup may be of an older release
echo "restored $STAMP"
