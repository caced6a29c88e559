# The release, from the wheels that came with these scripts: the machine reaches no package index, and asks none.
# shellcheck shell=bash
WHEELS=$INSTANCE/../wheelhouse
[ -d "$WHEELS" ] || WHEELS=$INSTANCE/wheelhouse
[ -n "$(find "$WHEELS" -name 'clickstream-*.whl' 2> /dev/null)" ] || fail "no wheel of clickstream in a wheelhouse/ beside these scripts"

# A release is what its wheels hold; the one before stays beside it, for a way back.
RELEASE=$OPT/releases/$(cd "$WHEELS" && find . -name '*.whl' -exec sha256sum {} + | sort | sha256sum | cut -c 1-12)
if [ ! -e "$RELEASE/.complete" ]; then
    log "installing $RELEASE"
    rm -rf "$RELEASE"
    mkdir -p "$OPT/releases"
    "$PYTHON" -m venv "$RELEASE"
    # The wheelhouse is the whole of it, resolved and pinned where it was built.
    "$RELEASE/bin/pip" install --quiet --disable-pip-version-check --no-cache-dir --no-compile --no-index --no-deps "$WHEELS"/*.whl
    # On all cores, and now: the services may not write there, and would compile everything anew at each start.
    "$RELEASE/bin/python" -m compileall -q -j 0 "$RELEASE/lib" || log "some files of the libraries cannot be compiled"
    # Not a package that is imported, but a folder that uvicorn is given: it would hide the library of its name.
    ln -s "$("$RELEASE/bin/python" -c 'from importlib.util import find_spec; print(*find_spec("clickstream_shiny").submodule_search_locations)')" \
        "$RELEASE/dashboard"
    touch "$RELEASE/.complete"
fi
ln -sfn "$RELEASE" "$CURRENT"
find "$OPT/releases" -mindepth 1 -maxdepth 1 -printf '%T@ %p\n' | sort -rn | awk -v now="$RELEASE" '$2 != now { print $2 }' \
    | tail -n +2 | xargs --no-run-if-empty rm -rf

# The scripts that units run; not where bootstrap.sh was unpacked, which may be a temporary folder.
mkdir -p "$SCRIPTS"
install -m 755 "$INSTANCE"/*.sh "$INSTANCE/store.py" "$SCRIPTS/"
install -m 644 "$INSTANCE/postgres/roles.sql" "$SCRIPTS/"
