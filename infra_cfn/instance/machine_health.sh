#!/bin/bash
# One row for each hour: how full the data disk is, how old the backup, which services do not answer. The ETL Lambda, which reaches the warehouse and
# nothing else of this machine, makes the alarm's metric of it; the machine needs no CloudWatch endpoint for that.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=places.sh
. "$HERE/places.sh"
# shellcheck source=probes.sh
. "$HERE/probes.sh"

# A service that is being restarted has a minute.
down=()
for service in location webserver dashboard daemon; do
    for pause in 0 10 10 10 10 10; do
        sleep "$pause"
        if "${service}_answers" 2> /dev/null; then continue 2; fi
    done
    down+=("$service")
done
read -r total free < <(df --block-size=1 --output=size,avail "$DATA" | tail -n 1)
memory=$(awk '/^MemAvailable/ { print $2 * 1024 }' /proc/meminfo)
backup=$(cat "$PGDATA/last_backup" 2> /dev/null || true)
"$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -h "$SOCKET" -d "$WAREHOUSE" \
    -v total="$total" -v free="$free" -v memory="$memory" -v backup="$backup" -v down="${down[*]}" <<'SQL'
insert into machine_health (hour, measured_at, disk_total_bytes, disk_free_bytes, memory_available_bytes, backed_up_at, services_down)
values (
    date_trunc('hour', now(), 'UTC'), now(), :total, :free, :memory, nullif(:'backup', '')::timestamptz, :'down'
)
on conflict (hour) do update
set measured_at = excluded.measured_at, disk_total_bytes = excluded.disk_total_bytes,
    disk_free_bytes = excluded.disk_free_bytes, memory_available_bytes = excluded.memory_available_bytes,
    backed_up_at = excluded.backed_up_at, services_down = excluded.services_down;
delete from machine_health where hour < now() - interval '400 days';
SQL
