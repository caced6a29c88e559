# Roles, databases, and a password for each role that comes from elsewhere. The machine's own services need none.
# shellcheck shell=bash
# shellcheck source=../secrets.sh
. "$INSTANCE/secrets.sh"
as_postgres -d postgres < "$INSTANCE/postgres/roles.sql"
for pair in clickstream_loader:$WAREHOUSE clickstream_reader:$WAREHOUSE clickstream_dagster:dagster; do
    if ! lets_in "${pair%:*}" "${pair#*:}"; then
        log "a new password for ${pair%:*}"
        new_password "${pair%:*}"
        lets_in "${pair%:*}" "${pair#*:}" || fail "the password of ${pair%:*} does not let it in"
    fi
done
