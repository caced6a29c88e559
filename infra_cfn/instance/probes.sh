# Whether each service does what it is there for, asked as its users ask it. Sourced, after places.sh.
# shellcheck shell=bash
postgres_answers() { as_postgres -d "$WAREHOUSE" -c 'table shop_settings' > /dev/null; }

webserver_answers() { curl --silent --fail --max-time 10 --output /dev/null http://127.0.0.1:3000/server_info; }

# Through the webserver: that the two have met is what a person at the UI needs.
location_answers() {
    curl --silent --fail --max-time 10 -H 'content-type: application/json' \
        --data '{"query":"{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }"}' \
        http://127.0.0.1:3000/graphql | grep -q '"name": *"clickstream"'
}

dashboard_answers() { curl --silent --fail --max-time 10 --output /dev/null http://127.0.0.1:3838/healthz; }

# It beats twice a minute. SINCE is a time of PostgreSQL's, such as "10 minutes ago" is now() - interval '10 minutes'.
daemon_answers() {
    local since=${1:-"now() - interval '10 minutes'"}
    as_postgres -d dagster -At -c "select count(*) > 0 from daemon_heartbeats where timestamp at time zone 'utc' > $since" \
        | grep -qx t
}
