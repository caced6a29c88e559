#!/bin/bash
# Brings both databases to the version of the installed release, before any service meets them. Harmless to repeat.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$HERE/clickstream.sh" --run python - <<'PYTHON'
from clickstream_dagster.settings import load_settings
from clickstream_dagster.stack import Stack

with Stack(load_settings()).warehouse():
    pass
PYTHON
"$HERE/clickstream.sh" --run dagster instance migrate > /dev/null
