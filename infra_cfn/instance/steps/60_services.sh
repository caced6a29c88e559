# The services: what they are told, the tables that they expect, and their units. The next step starts them.
# shellcheck shell=bash

# written FILE GROUP: standard input as a file that root writes and the group reads.
written() {
    install -m 640 -o root -g "$2" /dev/stdin "$1"
}

# What is set of these, quoted as both systemd and a shell read it.
settings() {
    local name
    for name in $(compgen -e | grep -E "$1"); do
        [ -z "${!name}" ] || printf '%s="%s"\n' "$name" "${!name}"
    done
}

# The one password among the services' settings: the shop's database is another machine's, and knows no user of this one.
if [ -n "${SHOP_PG_HOST:-}" ]; then
    SHOP_PG_PASSWORD=$(secret_read shop_reader_password)
    export SHOP_PG_PASSWORD
fi
written "$ETC/warehouse.env" clickstream <<END
$(settings '^(RAW_BUCKET_NAME|AWS_.*|CLICKSTREAM_.*|SHOP_PG_.*)$' | grep -v -E '^CLICKSTREAM_(HOME|LOGIN_[A-Z]+)=')
${AWS_REGION:+AWS_DEFAULT_REGION="$AWS_REGION"}
CLICKSTREAM_HOME="$DATA/state"
DW_PG_HOST="$SOCKET"
DW_PG_USER="clickstream_loader"
DW_PG_DATABASE="$WAREHOUSE"
DAGSTER_PG_DATABASE="dagster"
DAGSTER_PG_USER="clickstream_dagster"
DAGSTER_HOME="$DATA/dagster"
DAGSTER_EVENT_BATCH_SIZE="200"
CLICKSTREAM_DAGSTER_URL="postgresql+psycopg2://clickstream_dagster@/dagster?host=$SOCKET"
END
written "$ETC/dashboard.env" clickstream-dashboard <<END
DW_PG_HOST="$SOCKET"
DW_PG_DATABASE="$WAREHOUSE"
DW_PG_READER_USER="clickstream_reader"
$(settings '^CLICKSTREAM_(HOSTS|LOGIN_[A-Z]+)$')
END
written "$ETC/backup.env" postgres <<END
$(settings '^(BACKUP_URL|BACKUP_DAYS|AWS_.*)$')
END

install -d -m 750 -o clickstream -g clickstream "$DATA/dagster" "$DATA/state"
compute_logs=$INSTANCE/dagster/compute_logs_folder.yaml
[ -z "${COMPUTE_LOG_BUCKET:-}" ] || compute_logs=$INSTANCE/dagster/compute_logs_s3.yaml
sed -e "s|@FOLDER@|$DATA/dagster/compute_logs|" -e "s|@BUCKET@|${COMPUTE_LOG_BUCKET:-}|" -e "s|@REGION@|${AWS_REGION:-}|" \
    "$INSTANCE/dagster/dagster.yaml" "$compute_logs" | written "$DATA/dagster/dagster.yaml" clickstream
written "$DATA/dagster/workspace.yaml" clickstream < "$INSTANCE/dagster/workspace.yaml"

# A folder of raw events is the collector's to fill; an empty one is made, so that the services can start.
if [[ ${RAW_BUCKET_NAME:-} == file://* && ! -d ${RAW_BUCKET_NAME#file://} ]]; then
    install -d -m 775 -o clickstream -g clickstream "${RAW_BUCKET_NAME#file://}"
fi

# `clickstream` in a shell of this machine means the one of its services.
install -m 755 "$INSTANCE/clickstream.sh" /usr/local/bin/clickstream

# Tables before services: three of them starting at once would each want to make Dagster's.
log "bringing the tables to this version"
"$SCRIPTS/migrate.sh"

# A backup into a folder may write there, and only there.
rm -rf /etc/systemd/system/clickstream-backup.service.d
if [[ ${BACKUP_URL:-} == file://* ]]; then
    install -d -m 700 -o postgres -g postgres "${BACKUP_URL#file://}"
    install -D -m 644 /dev/stdin /etc/systemd/system/clickstream-backup.service.d/folder.conf <<END
[Service]
ReadWritePaths=${BACKUP_URL#file://}
END
fi
install -m 644 "$INSTANCE"/systemd/*.service "$INSTANCE"/systemd/*.timer /etc/systemd/system/
systemctl daemon-reload
UNITS=(clickstream-location clickstream-webserver clickstream-daemon clickstream-dashboard)
TIMERS=(clickstream-health.timer)
[ -z "${BACKUP_URL:-}" ] || TIMERS+=(clickstream-backup.timer)
systemctl enable -q "${UNITS[@]}" "${TIMERS[@]}"
