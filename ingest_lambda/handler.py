"""The collector: an HTTP request in, one raw object out. It answers 200 only once the object is durably stored."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid4

from ingest_lambda import contract, landing, settings
from ingest_lambda.log import log, log_metrics
from ingest_lambda.replies import Response, errors, preflight, reply, verdict
from ingest_lambda.request import Refusal, Request
from ingest_lambda.sorting import Sorted, sort

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class Answer(NamedTuple):
    """What is told to the client, and what is logged of it."""

    response: Response
    key: str | None = None
    accepted: int = 0
    codes: Mapping[str, int] = {}
    #: "stored", also when there was nothing to store; "refused": not ours to count; "unstored": the client is to send again.
    outcome: str = "stored"

    @property
    def metrics(self) -> dict[str, float | None]:
        """What CloudWatch counts of it."""
        if self.outcome == "refused":
            return {"Refused": 1}
        if self.outcome == "unstored":
            return {"StorageFailures": 1}
        rejected = sum(self.codes.values())
        return {"Accepted": self.accepted, "Rejected": rejected} if self.accepted or rejected else {}


class StorageFailure(Exception):
    """The raw bucket did not take an object."""


def handler(event: Mapping[str, Any], context: object = None) -> Response:
    """What Lambda calls. Whatever happens, the client gets an answer and the log one line."""
    started = time.perf_counter()
    try:
        answer = _answer(event, store=open_store(settings.raw_bucket_name()), received_at=datetime.now(UTC))
    except Exception as error:
        log("failure", error=type(error).__name__, detail=_one_line(error) if isinstance(error, RuntimeError) else None)
        answer = Answer(
            reply(500, errors("internal_error", "the collector failed; send again later")), outcome="unstored"
        )
    log_metrics(
        "ingest",
        "request",
        answer.metrics,
        request_id=getattr(context, "aws_request_id", None),
        status=answer.response["statusCode"],
        codes=answer.codes or None,
        key=answer.key,
        ms=round((time.perf_counter() - started) * 1000, 1),
    )
    return answer.response


def collect(
    event: Mapping[str, Any],
    *,
    store: ObjectStore,
    received_at: datetime,
    make_id: Callable[[], UUID] = uuid4,
    salt: str | None = None,
) -> Response:
    """Answer one API Gateway request as of `received_at`: the same code for live traffic and for traffic of the past.

    `make_id` names the events that come without an id, and the object: it must never give one id twice in one bucket.
    """
    return _answer(event, store=store, received_at=received_at, make_id=make_id, salt=salt).response


@lru_cache(maxsize=4)
def open_store(name: str) -> ObjectStore:
    """The raw bucket, opened by the first request and kept for those that follow."""
    return settings.open_store(name)


def _answer(
    event: Mapping[str, Any],
    *,
    store: ObjectStore,
    received_at: datetime,
    make_id: Callable[[], UUID] = uuid4,
    salt: str | None = None,
) -> Answer:
    request = Request(event)
    cors = request.cors_headers()
    try:
        request.check()
        if request.method == "OPTIONS":
            return Answer(preflight(cors))
        found = sort(request, received_at=received_at, salt=salt, make_id=make_id)
        key = _store(found, store, received_at, make_id())
    except Refusal as refusal:
        refused = errors(refusal.code, refusal.message)
        return Answer(
            reply(refusal.status, refused, {**cors, **refusal.headers}), codes={refusal.code: 1}, outcome="refused"
        )
    except (StorageFailure, settings.SecretUnavailable) as failure:
        code = "storage_unavailable" if isinstance(failure, StorageFailure) else "secret_unavailable"
        log(code, error=_one_line(failure))
        wait = {"retry-after": str(settings.RETRY_AFTER_SECONDS)}
        unstored = errors(code, "nothing was stored; send the same events again")
        return Answer(reply(503, unstored, {**cors, **wait}), codes={code: 1}, outcome="unstored")
    codes = Counter(one.code for one in found.rejected)
    return Answer(reply(200 if found.accepted else 400, verdict(found), cors), key, len(found.accepted), codes)


def _store(found: Sorted, store: ObjectStore, received_at: datetime, uuid: UUID) -> str | None:
    """Rejections first: should the second write fail, the client sends all of it again, and a rejection that is kept
    twice does no harm, where an accepted event that came without an id would be counted twice."""
    if found.rejected:
        _put(store, landing.rejected_key(received_at, uuid), [contract.encode(one) for one in found.rejected])
    if not found.accepted:
        return None
    key = landing.event_key(received_at, uuid)
    _put(store, key, found.accepted)
    return key


def _put(store: ObjectStore, key: str, lines: list[bytes]) -> None:
    from obstore.exceptions import AlreadyExistsError

    try:
        store.put(key, b"\n".join(lines) + b"\n", mode="create")
    except AlreadyExistsError:
        return  # the key is ours alone: a first try did arrive, and only its answer was lost
    except Exception as error:
        raise StorageFailure(f"{type(error).__name__}: {error}") from error


def _one_line(error: BaseException) -> str:
    """Long enough for what a bucket says itself, which comes after its path and address; not for how the client was built."""
    return " ".join(str(error).partition("Debug source:")[0].split())[:700]
