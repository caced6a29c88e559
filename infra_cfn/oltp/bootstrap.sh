#!/bin/bash
# Makes a fresh Amazon Linux 2023 machine the shop's own database. UserData of oltp.yaml runs it as root, with AWS_REGION,
# ENVIRONMENT, DATA_VOLUME_ID and SERVER_NAME set. Run it again, it leaves the data and the password alone.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
DATA=/data
PGDATA=$DATA/postgres
PASSWORD_NAME=/clickstream/$ENVIRONMENT/oltp/shop_password
CERTIFICATE_NAME=/clickstream/$ENVIRONMENT/oltp/certificate
READER_PASSWORD_NAME=/clickstream/$ENVIRONMENT/warehouse/shop_reader_password

log() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*"; }

install_packages() {
    log "installing PostgreSQL"
    dnf install -y -q postgresql18-server postgresql18 openssl
}

mount_disk() {
    local disk="/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${DATA_VOLUME_ID//-/}"
    log "waiting for $disk"
    for _ in $(seq 150); do
        if [ -b "$disk" ]; then break; fi
        sleep 2
    done
    # Only an empty disk is formatted (blkid answers 2): one that holds a database is what the machine before this one left.
    local found=0
    blkid --probe "$disk" > /dev/null || found=$?
    case $found in
    0) log "the disk holds data; used as it is" ;;
    2) mkfs.ext4 -q -L shop-data "$disk" ;;
    *) log "the disk cannot be read; is it attached?" && return 1 ;;
    esac
    grep -q '^LABEL=shop-data ' /etc/fstab || echo "LABEL=shop-data $DATA ext4 defaults,nofail,noatime 0 2" >> /etc/fstab
    mkdir -p "$DATA"
    mountpoint -q "$DATA" || mount "$DATA"
    install -d -m 0700 -o postgres -g postgres "$PGDATA"
}

make_cluster() {
    [ -e "$PGDATA/PG_VERSION" ] || runuser -u postgres -- initdb -D "$PGDATA" --auth-local=peer --auth-host=scram-sha-256 -E UTF8 --locale=C.UTF-8
    # The shop checks that it speaks with this certificate's owner: publish_certificate.
    [ -e "$PGDATA/server.key" ] || runuser -u postgres -- openssl req -new -x509 -days 3650 -nodes -subj "/CN=$SERVER_NAME" \
        -addext "subjectAltName=IP:$SERVER_NAME" -keyout "$PGDATA/server.key" -out "$PGDATA/server.crt" 2> /dev/null
    chmod 0600 "$PGDATA/server.key"
    install -m 0600 -o postgres -g postgres "$HERE/postgresql.conf" "$PGDATA/shop.conf"
    grep -q "^include = 'shop.conf'" "$PGDATA/postgresql.conf" || echo "include = 'shop.conf'" >> "$PGDATA/postgresql.conf"
    # Who may connect from where is the security group's to say; here, only how: encrypted, with a password, one database.
    install -m 0600 -o postgres -g postgres "$HERE/pg_hba.conf" "$PGDATA/pg_hba.conf"
}

start_server() {
    install -d /etc/systemd/system/postgresql.service.d
    printf '[Unit]\nRequiresMountsFor=%s\n[Service]\nEnvironment=PGDATA=%s\n' "$DATA" "$PGDATA" > /etc/systemd/system/postgresql.service.d/data.conf
    systemctl daemon-reload
    systemctl enable --quiet postgresql
    systemctl restart postgresql
}

as_postgres() { runuser -u postgres -- psql -X -q -v ON_ERROR_STOP=1 "$@"; }

# give_password ROLE NAME: the one that Parameter Store has under this name, or a new one that is kept there first.
give_password() {
    local password
    password=$(aws ssm get-parameter --region "$AWS_REGION" --name "$2" --with-decryption --query Parameter.Value --output text 2> /dev/null || true)
    if [ -z "$password" ]; then
        log "making the password of $1, $2"
        password=$(openssl rand -hex 24)
        local kept
        kept=$(mktemp) # a command line can be read by everybody on the machine
        printf '%s' "$password" > "$kept"
        aws ssm put-parameter --region "$AWS_REGION" --name "$2" --type SecureString --value "file://$kept" > /dev/null
        rm -f "$kept"
    fi
    printf "alter role %s password '%s';\n" "$1" "$password" | as_postgres -d postgres
}

make_login() {
    [ "$(as_postgres -At -d postgres -c "select 1 from pg_roles where rolname = 'shop'")" = 1 ] || as_postgres -d postgres -c 'create role shop login'
    give_password shop "$PASSWORD_NAME"
    [ "$(as_postgres -At -d postgres -c "select 1 from pg_database where datname = 'shop'")" = 1 ] || as_postgres -d postgres -c 'create database shop owner shop'
}

publish_certificate() {
    # Who connects from the internet must know whom with, or the password goes to whoever stands in between.
    aws ssm put-parameter --region "$AWS_REGION" --name "$CERTIFICATE_NAME" --type String --overwrite \
        --value "file://$PGDATA/server.crt" > /dev/null
}

install_packages
mount_disk
make_cluster
start_server
make_login
publish_certificate
{ echo 'set role shop;'; cat "$HERE/schema.sql"; } | as_postgres -d shop
as_postgres -d shop < "$HERE/reader.sql"
give_password shop_reader "$READER_PASSWORD_NAME"
log "the shop's database is ready"
