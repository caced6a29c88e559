"""A Lambda on this machine: the package read-only in /var/task, its Python in /var/lang, only /tmp to write, no shared
memory, no rights; the handler called by Lambda's own runtime interface client, against a runtime API that we serve."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

from infra_cfn.packages.build import WORK, libraries
from infra_cfn.packages.bytecode import interpreter
from infra_cfn.packages.contents import RUNTIME
from infra_cfn.packages.targets import Target

MACHINE = Target("arm64" if os.uname().machine == "aarch64" else "x86_64")
#: As in Lambda, whose user has no name. Everything is laid out before / and its parts become read-only.
_SANDBOX = """
set -e
mount -t tmpfs -o mode=755 tmpfs /var
mkdir /var/task /var/runtime /var/lang
mount --bind "$PACKAGE" /var/task
mount --bind "$RUNTIME" /var/runtime
mount --bind "$LANGUAGE" /var/lang
mount -t tmpfs -o mode=1777,size=512m tmpfs /tmp
mount -t tmpfs -o ro,mode=555 tmpfs /dev/shm
for place in / /var /var/task /var/runtime /var/lang; do mount -o remount,bind,ro "$place"; done
cd /var/task
unset PACKAGE RUNTIME LANGUAGE
exec setpriv --reuid 993 --regid 990 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all \
    /var/lang/bin/python3 -m awslambdaric "$_HANDLER"
"""


class FunctionError(Exception):
    """The handler raised, or the process ended; what Lambda would report of it."""


@dataclass
class Invocation:
    """One call, its answer, and how long the handler took by our clock."""

    event: Any
    id: str = field(default_factory=lambda: str(uuid4()))
    answer: Any = None
    error: Mapping[str, Any] | None = None
    started: float = 0.0
    seconds: float = 0.0
    done: threading.Event = field(default_factory=threading.Event)


class Function:
    """A running Lambda. `call` is one invocation in a process that stays warm."""

    def __init__(self, process: subprocess.Popen[bytes], waiting: queue.Queue[Invocation], log: Path) -> None:
        self.process, self.log = process, log
        self._waiting = waiting
        #: From the start of the process until it asked for its first event.
        self.init_seconds = 0.0

    def call(self, event: Any, timeout: float = 120) -> Any:
        """What the handler returns. Raises `FunctionError`."""
        return self.invoke(event, timeout).answer

    def invoke(self, event: Any, timeout: float = 120) -> Invocation:
        """The same, with what it took."""
        invocation = Invocation(event)
        self._waiting.put(invocation)
        until = time.monotonic() + timeout
        while not invocation.done.wait(0.1):
            if self.process.poll() is not None or time.monotonic() > until:
                raise FunctionError(f"no answer; the log ends with:\n{self.log.read_text()[-3000:]}")
        if invocation.error is not None:
            raise FunctionError(json.dumps(invocation.error))
        return invocation

    @property
    def peak_megabytes(self) -> float:
        """The most memory that the process has had resident, which is what Lambda reports."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024

    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines that it has logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@contextmanager
def running(package: Path, handler: str, log: Path, **environ: str) -> Iterator[Function]:
    """Run the handler of an unpacked package until the block ends."""
    assert os.geteuid() == 0, "a Lambda's read-only file system needs mounts of its own: run the tests as root"
    waiting: queue.Queue[Invocation] = queue.Queue()
    api = _RuntimeApi(waiting)
    threading.Thread(target=api.serve_forever, daemon=True).start()
    python = interpreter(MACHINE.python)
    prefix = subprocess.check_output([python, "-c", "import sys; print(sys.base_prefix)"], text=True).strip()
    environment = {
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "LD_LIBRARY_PATH": "/var/lang/lib",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": handler.partition(".")[0],
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{MACHINE.python}",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "LAMBDA_TASK_ROOT": "/var/task",
        "PYTHONPATH": "/var/runtime",
        "_HANDLER": handler,
        "PACKAGE": str(package),
        "RUNTIME": str(libraries(RUNTIME, MACHINE, WORK)),
        "LANGUAGE": prefix,
        **environ,
    }
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", _SANDBOX],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    function = Function(process, waiting, log)
    try:
        while not api.is_ready.wait(0.02):
            if process.poll() is not None or api.init_error:
                raise FunctionError(f"{api.init_error or 'the process has ended'}\n{log.read_text()[-3000:]}")
        function.init_seconds = api.ready_at - started
        yield function
    finally:
        process.kill()
        process.wait(20)
        api.shutdown()
        api.server_close()


class _RuntimeApi(ThreadingHTTPServer):
    """The HTTP API that a runtime asks for its next event (docs.aws.amazon.com/lambda, "runtimes-api")."""

    daemon_threads = True

    def __init__(self, waiting: queue.Queue[Invocation]) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.waiting = waiting
        self.open: dict[str, Invocation] = {}
        self.is_ready = threading.Event()
        self.ready_at = 0.0
        self.init_error: Any = None


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _RuntimeApi

    def do_GET(self) -> None:
        assert self.path == "/2018-06-01/runtime/invocation/next", self.path
        if not self.server.is_ready.is_set():
            self.server.ready_at = time.perf_counter()
            self.server.is_ready.set()
        invocation = self.server.waiting.get()
        self.server.open[invocation.id] = invocation
        invocation.started = time.perf_counter()
        deadline = str(int((time.time() + 300) * 1000))
        arn = f"arn:aws:lambda:eu-central-1:000000000000:function:{os.environ.get('AWS_LAMBDA_FUNCTION_NAME', 'test')}"
        self._send(
            200,
            json.dumps(invocation.event).encode(),
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.id,
                "Lambda-Runtime-Deadline-Ms": deadline,
                "Lambda-Runtime-Invoked-Function-Arn": arn,
                "Lambda-Runtime-Trace-Id": "Root=1-0-0;Sampled=0",
            },
        )

    def do_POST(self) -> None:
        now = time.perf_counter()
        body = json.loads(self.rfile.read(int(self.headers["content-length"])) or "null")
        if self.path == "/2018-06-01/runtime/init/error":
            self.server.init_error = body
            return self._send(202, b"{}")
        *_, id, kind = self.path.split("/")
        invocation = self.server.open.pop(id)
        invocation.seconds = now - invocation.started
        if kind == "response":
            invocation.answer = body
        else:
            invocation.error = body
        invocation.done.set()
        return self._send(202, b"{}")

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, text in {"content-type": "application/json", **(headers or {})}.items():
            self.send_header(name, text)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass
