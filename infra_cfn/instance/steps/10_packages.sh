# The distribution's PostgreSQL and Python, and nothing that it starts by itself.
# On Amazon Linux dnf's repositories are buckets of the region, so the S3 gateway endpoint is enough.
# shellcheck shell=bash disable=SC2034 # PYTHON is for the steps that follow
if command -v dnf > /dev/null; then
    PYTHON=python3.13
    dnf install -y -q postgresql18-server postgresql18 python3.13 python3.13-pip openssl e2fsprogs
elif command -v apt-get > /dev/null; then
    PYTHON=python3
    # Debian would make a cluster on the root disk, and start it.
    mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends postgresql python3 python3-venv openssl curl e2fsprogs
else
    fail "neither dnf nor apt-get: Amazon Linux 2023 and Debian are known here"
fi
getent passwd postgres > /dev/null || fail "the package of PostgreSQL made no user postgres"
# One user for Dagster, who loads; another for the dashboard, who only reads. PostgreSQL knows them by their names.
for user in clickstream clickstream-dashboard; do
    getent passwd "$user" > /dev/null || useradd --system --user-group --home-dir "$DATA" --no-create-home --shell /usr/sbin/nologin "$user"
done
