# The services, one after the other, each until it does what its users will ask of it. A small machine that has just been
# launched has a fifth of a processor for each of its two, and nothing saved: all at once they would share that, and none of
# them would be there in time. What does not answer is named, with the last lines of its journal.
# shellcheck shell=bash
# shellcheck source=../probes.sh
. "$INSTANCE/probes.sh"
PATIENCE_SECONDS=600

# answers SERVICE [ARGUMENT]: waits until its probe succeeds.
answers() {
    local unit=clickstream-$1 began=$SECONDS
    until "$1_answers" "${@:2}" 2> /dev/null; do
        if ((SECONDS - began > PATIENCE_SECONDS)); then
            journalctl --unit "$unit" --lines 20 --no-pager || true
            fail "$unit does not answer"
        fi
        sleep 1
    done
    log "$unit answers after $((SECONDS - began)) s"
}

# started SERVICE: restarts it. systemd itself waits until the code location listens.
started() {
    systemctl restart "clickstream-$1" && return
    journalctl --unit "clickstream-$1" --lines 20 --no-pager || true
    fail "clickstream-$1 does not start"
}

answers postgres
started location
started webserver
answers webserver
answers location
started dashboard
answers dashboard
restarted=$(date -u +%FT%TZ)
started daemon
answers daemon "'$restarted'::timestamptz"
systemctl start "${TIMERS[@]}"
systemctl start clickstream-health.service # the first row of machine_health, without waiting for the hour
