#!/bin/bash
# A backup of both databases to BACKUP_URL, as the system's user postgres. It is streamed, so it needs no room on the disk.
# By pg_dump, since what it writes goes into another version of PostgreSQL, onto another processor, or into RDS, which a copy
# of the files does not. Raw events need no backup here: they are in their bucket, and the warehouse can be loaded from them.
# A backup counts only with its file `complete`, which is written last.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=places.sh
. "$HERE/places.sh"
: "${BACKUP_URL:?says where backups go}"
store() { "$CURRENT/bin/python" "$HERE/store.py" "$@"; }

STAMP=$(date -u +%Y%m%dT%H%M%SZ)
SUMS=
for database in "$WAREHOUSE" dagster; do
    sum=$("$PG_BIN/pg_dump" -h "$SOCKET" --format custom --compress 3 "$database" | store put "$STAMP/$database.dump")
    SUMS+="$sum  $database.dump"$'\n'
done
printf '%s' "$SUMS" | store put "$STAMP/complete" > /dev/null
date -u +%FT%TZ > "$PGDATA/last_backup"
echo "backed up to $BACKUP_URL/$STAMP"

OLDEST=$(date -u -d "${BACKUP_DAYS:-14} days ago" +%Y%m%dT%H%M%SZ)
for stamp in $(store list | cut -d / -f 1 | sort -u); do
    if [[ $stamp =~ ^[0-9]{8}T[0-9]{6}Z$ && $stamp < $OLDEST ]]; then
        store delete "$stamp/"
        echo "removed $stamp"
    fi
done
