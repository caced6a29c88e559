"""Backups in a bucket or a folder, by one and the same calls. A program of the release's Python; the scripts beside it use it.

store.py put KEY < file      stores standard input, and prints its SHA-256
store.py get KEY > file      store.py list [PREFIX]       store.py delete PREFIX
BACKUP_URL says where; credentials are the machine's own role, or the usual AWS_* variables.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator

import obstore
from obstore.store import ObjectStore

from ingest_lambda.settings import open_store

CHUNK = 8 * 1024 * 1024


def put(store: ObjectStore, key: str) -> None:
    """Store standard input, whatever its length, in parts, and print the sum of what was sent."""
    sent = hashlib.sha256()

    def parts() -> Iterator[bytes]:
        while part := sys.stdin.buffer.read(CHUNK):
            sent.update(part)
            yield part

    obstore.put(store, key, parts(), use_multipart=True, chunk_size=CHUNK)
    print(sent.hexdigest())


def get(store: ObjectStore, key: str) -> None:
    """Write an object to standard output."""
    for part in obstore.get(store, key).stream(min_chunk_size=CHUNK):
        sys.stdout.buffer.write(part)


def keys(store: ObjectStore, prefix: str) -> Iterator[str]:
    """The keys below a prefix, in order."""
    yield from sorted(entry["path"] for batch in obstore.list(store, prefix) for entry in batch)


def main(command: str, name: str) -> None:
    """One command; what it cannot do raises."""
    store = open_store(os.environ["BACKUP_URL"])
    if command == "put":
        put(store, name)
    elif command == "get":
        get(store, name)
    elif command == "list":
        print(*keys(store, name), sep="\n")
    elif command == "delete":
        obstore.delete(store, list(keys(store, name)))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
