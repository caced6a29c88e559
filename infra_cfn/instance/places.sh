# Where everything lies on the machine. Sourced by the scripts beside it.
# shellcheck shell=bash disable=SC2034
ETC=/etc/clickstream
OPT=/opt/clickstream
DATA=/var/lib/clickstream          # the data disk: all that a new machine takes over from the old one
PGDATA=$DATA/postgres
PG_BIN=$OPT/postgresql             # a link to the programs of the cluster's version
CURRENT=$OPT/current               # a link to the installed release
SCRIPTS=$OPT/instance              # these scripts, for the units to run
SOCKET=/run/postgresql
WAREHOUSE=clickstream_dw

# psql as the superuser of this machine: by the socket and its peer, so without a password. SQL comes from standard input.
as_postgres() {
    local become=(runuser -u postgres --)
    [ "$(id -un)" != postgres ] || become=()
    "${become[@]}" "$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -h "$SOCKET" "$@"
}
