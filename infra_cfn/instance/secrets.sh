# Passwords: made on this machine, kept in Parameter Store or in a folder that only root reads. Sourced.
# shellcheck shell=bash
SECRETS=$ETC/secrets

# secret_read NAME: the secret, or nothing when there is none. A store that does not answer is an error: for a password that
# cannot be read a new one must not be made.
secret_read() {
    if [ "${SECRET_STORE:-file}" != ssm ]; then
        [ ! -e "$SECRETS/$1" ] || cat "$SECRETS/$1"
        return
    fi
    local said
    if said=$(aws ssm get-parameter --name "$SECRET_PATH$1" --with-decryption --query Parameter.Value --output text 2>&1); then
        printf '%s' "$said"
    elif [[ $said != *ParameterNotFound* ]]; then
        echo "$SECRET_PATH$1: $said" >&2
        return 1
    fi
}

# secret_write NAME, the secret on standard input: a command line can be read by everybody on the machine.
secret_write() {
    if [ "${SECRET_STORE:-file}" = ssm ]; then
        local kept
        kept=$(mktemp) # for root alone, by mktemp's own mode
        cat > "$kept"
        aws ssm put-parameter --name "$SECRET_PATH$1" --type SecureString --overwrite --value "file://$kept" > /dev/null
        rm -f "$kept"
    else
        install -d -m 700 "$SECRETS"
        (umask 077 && cat > "$SECRETS/$1")
    fi
}

# lets_in ROLE DATABASE: does the kept password open the door? It comes by the loopback address, as a tunnel does.
lets_in() {
    local password
    password=$(secret_read "${1#clickstream_}_password") || exit 1
    [ -n "$password" ] && PGPASSWORD=$password "$PG_BIN/psql" -X -q -w -h 127.0.0.1 -U "$1" -d "$2" -c 'select' > /dev/null 2>&1
}

# new_password ROLE: kept first, then given to PostgreSQL, so that a machine that stops in between has one that is not yet
# true, which the next run sees, and never one that nobody knows.
new_password() {
    local password
    password=$(openssl rand -hex 24)
    printf '%s' "$password" | secret_write "${1#clickstream_}_password"
    printf "alter role %s password '%s';\n" "$1" "$password" | as_postgres -d postgres
}
