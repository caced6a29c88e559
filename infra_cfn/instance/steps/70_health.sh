# The end: everything answers, as its users will ask it. What does not is named, with the last lines of its journal.
# shellcheck shell=bash

# answers UNIT COMMAND...: within two minutes.
answers() {
    local unit=$1
    shift
    for _ in $(seq 120); do
        if "$@" > /dev/null 2>&1; then
            log "$unit answers"
            return
        fi
        sleep 1
    done
    journalctl --unit "$unit" --lines 20 --no-pager || true
    fail "$unit does not answer"
}

# The location is asked through the webserver: that the two have met is what a person at the UI needs.
location_is_loaded() {
    curl --silent --fail --max-time 10 -H 'content-type: application/json' \
        --data '{"query":"{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }"}' \
        http://127.0.0.1:3000/graphql | grep -q '"name": *"clickstream"'
}

answers clickstream-postgres as_postgres -d "$WAREHOUSE" -c 'table shop_settings'
answers clickstream-webserver curl --silent --fail --max-time 10 http://127.0.0.1:3000/server_info
answers clickstream-location location_is_loaded
answers clickstream-daemon systemctl is-active --quiet clickstream-daemon
answers clickstream-dashboard curl --silent --fail --max-time 10 http://127.0.0.1:3838/healthz
systemctl start clickstream-health.service # the first row of machine_health, without waiting for the hour
