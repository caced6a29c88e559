#!/bin/bash
# New passwords for the roles that are named, or for all. Open connections live on; a Lambda that still has the old one is
# refused once, reads the new one, and is tried again by Lambda itself.
#
#   rotate_passwords.sh [clickstream_loader clickstream_reader clickstream_dagster]
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
set -a
# shellcheck source=/dev/null
. /etc/clickstream/machine.env
set +a
# shellcheck source=places.sh
. "$HERE/places.sh"
# shellcheck source=secrets.sh
. "$HERE/secrets.sh"
[ $# -gt 0 ] || set -- clickstream_loader clickstream_reader clickstream_dagster
for role in "$@"; do
    new_password "$role"
    echo "$role has a new password"
done
