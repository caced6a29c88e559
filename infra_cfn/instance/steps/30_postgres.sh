# PostgreSQL on the data disk, with its own certificate, reached by the socket's peers and by scram through TLS.
# shellcheck shell=bash
programs() {
    local all newest
    all=$(find /usr/lib/postgresql /usr/bin -maxdepth 3 -name postgres -not -type d 2> /dev/null | sort -V)
    [ -n "$all" ] || fail "there is no PostgreSQL on this machine" >&2
    newest=$(dirname "$(tail -n 1 <<< "$all")")
    if [ ! -e "$PGDATA/PG_VERSION" ]; then
        echo "$newest"
        return
    fi
    local program version
    version=$(cat "$PGDATA/PG_VERSION")
    for program in $all; do
        if "$program" --version | grep -qE " ${version}[. ]"; then
            dirname "$program"
            return
        fi
    done
    fail "the disk holds a cluster of PostgreSQL $version, and only $newest is here: docs/runbook.md, Upgrade" >&2
}

# The cluster's own settings are appended by include, and written anew each time: memory may have changed with the machine.
configure() {
    local clients=${DATABASE_CLIENTS:-} networks
    read -ra networks <<< "${clients//,/ }"
    # A line that PostgreSQL cannot read would be met at its next start only.
    "$PYTHON" -c 'import ipaddress, sys; [ipaddress.ip_network(n, strict=False) for n in sys.argv[1:]]' "${networks[@]}" \
        || fail "DATABASE_CLIENTS=$clients: give networks such as 10.0.3.0/24, with commas between them"
    local shared=$((MEMORY_MB / 8))
    [ "$shared" -le 4096 ] || shared=4096
    sed -e "s/@SHARED@/$shared/" -e "s/@CACHE@/$((MEMORY_MB / 3))/" "$INSTANCE/postgres/clickstream.conf" > "$PGDATA/clickstream.conf"
    cp "$INSTANCE/postgres/pg_ident.conf" "$PGDATA/pg_ident.conf"
    {
        cat "$INSTANCE/postgres/pg_hba.conf"
        local network
        for network in "${networks[@]}"; do
            printf 'hostssl %s clickstream_loader,clickstream_reader %s scram-sha-256\n' "$WAREHOUSE" "$network"
            printf 'hostssl dagster clickstream_dagster %s scram-sha-256\n' "$network"
        done
    } > "$PGDATA/pg_hba.conf"
    grep -q "^include 'clickstream.conf'" "$PGDATA/postgresql.conf" || echo "include 'clickstream.conf'" >> "$PGDATA/postgresql.conf"
    if [ ! -e "$PGDATA/server.key" ]; then
        (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
            -subj "/CN=clickstream-warehouse" -keyout "$PGDATA/server.key" -out "$PGDATA/server.crt" 2> /dev/null)
    fi
    chown postgres:postgres "$PGDATA"/{clickstream.conf,pg_ident.conf,pg_hba.conf,postgresql.conf,server.key,server.crt}
    chmod 600 "$PGDATA"/{clickstream.conf,pg_ident.conf,pg_hba.conf,server.key}
}

mkdir -p "$OPT"
PROGRAMS=$(programs)
ln -sfn "$PROGRAMS" "$PG_BIN"
if [ ! -e "$PGDATA/PG_VERSION" ]; then
    log "making a new cluster of $("$PG_BIN/postgres" --version)"
    install -d -m 700 -o postgres -g postgres "$PGDATA"
    runuser -u postgres -- "$PG_BIN/initdb" --pgdata "$PGDATA" --data-checksums --encoding UTF8 --locale C.UTF-8 --auth peer > /dev/null
fi
before=$(sha256sum "$PGDATA/clickstream.conf" 2> /dev/null || true)
configure
install -m 644 "$INSTANCE/systemd/clickstream-postgres.service" /etc/systemd/system/
systemctl daemon-reload
systemctl enable -q clickstream-postgres.service
if [ "$before" = "$(sha256sum "$PGDATA/clickstream.conf")" ] && as_postgres -d postgres -c 'select' > /dev/null 2>&1; then
    systemctl reload clickstream-postgres.service # who may come; a new certificate
else
    # Some settings are taken up by a start only, and after a change of the machine's size they are the ones that matter.
    systemctl restart clickstream-postgres.service
fi
