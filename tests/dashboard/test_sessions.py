"""What a tab takes of the server, and that it gives it back: memory, work, lines in the log."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from websockets.asyncio.client import ClientConnection, connect

from clickstream_dagster.stack import Stack
from dashboard_site import PAGES, Site, serving, settled

#: A row of boxes with its numbers: the first that a reader sees.
FIRST_NUMBER = "overview_period-row"
LOADS = int(os.environ.get("CLICKSTREAM_SOAK_LOADS", "40"))
SWITCHES = int(os.environ.get("CLICKSTREAM_SOAK_SWITCHES", "200"))
#: As the navigation bar has them, from the one after the first, which is open already.
ROUND = (*PAGES[1:], PAGES[0])


@pytest.fixture(scope="module")
def busy(shop: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Path]]:
    """A dashboard of its own, whose memory nobody else changes, and its log."""
    log = tmp_path_factory.mktemp("busy") / "log"
    with serving(shop, log=log) as site:
        yield site, log


@pytest.fixture(scope="module")
def hello(busy: tuple[Site, Path], browser: Browser) -> str:
    """What a browser says when it opens a tab: the sizes of all outputs, and what all inputs show."""
    sent: list[str] = []
    page = browser.new_page(viewport={"width": 1440, "height": 3000})
    page.on("websocket", lambda line: line.on("framesent", lambda text: sent.append(str(text))))
    page.goto(busy[0].url)
    settled(page)
    page.close()
    assert json.loads(sent[0])["method"] == "init"
    return sent[0]


def tab(site: Site) -> connect:
    """The connection of a tab without a browser round it."""
    return connect(site.url.replace("http", "ws", 1) + "websocket/", max_size=None)


def apart(work: Coroutine[Any, Any, float]) -> float:
    """Run it on a loop of its own: Playwright has one in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def until(line: ClientConnection, output: str) -> None:
    """Listen until an output has its value."""
    async for text in line:
        if json.loads(text).get("values", {}).get(output):
            return
    raise AssertionError("the server has closed the connection")


def test_a_tab_that_is_closed_gives_back_its_memory(busy: tuple[Site, Path], hello: str) -> None:
    site, log = busy

    async def load() -> None:
        async with tab(site) as line:
            await line.send(hello)
            await asyncio.wait_for(until(line, FIRST_NUMBER), 30)

    async def loads(count: int) -> float:
        for _ in range(count):
            await load()
        return site.memory()

    warm = apart(loads(15))
    after = apart(loads(LOADS))
    assert after - warm < 0.5 * LOADS  # MB; it was 4 to 9 for each
    assert "Traceback" not in log.read_text()


def test_a_tab_that_lives_long_stays_small(busy: tuple[Site, Path], hello: str) -> None:
    site, log = busy

    async def switches(line: ClientConnection, count: int) -> float:
        for number in range(count):
            name = ROUND[number % len(ROUND)]
            await line.send(json.dumps({"method": "update", "data": {"page": name}}))
            await asyncio.wait_for(_located(line, name), 30)
        return site.memory()

    async def growth() -> float:
        async with tab(site) as line:
            await line.send(hello)
            await until(line, FIRST_NUMBER)
            warm = await switches(line, 5 * len(ROUND))
            return await switches(line, SWITCHES) - warm

    assert apart(growth()) < 0.05 * SWITCHES  # MB; it was 0.2 for each
    assert "Traceback" not in log.read_text()


async def _located(line: ClientConnection, name: str) -> None:
    async for text in line:
        if name in json.loads(text).get("custom", {}).get("location", {}).get("query", ""):
            return
    raise AssertionError("the server has closed the connection")


def test_what_happens_in_one_tab_is_not_told_to_another(busy: tuple[Site, Path], hello: str) -> None:
    site, _ = busy

    async def opened() -> ClientConnection:
        line = await tab(site)
        await line.send(hello)
        await asyncio.wait_for(until(line, FIRST_NUMBER), 30)
        return line

    async def quiet(line: ClientConnection) -> int:
        heard = 0
        with suppress(TimeoutError):
            while True:
                await asyncio.wait_for(line.recv(), 2)
                heard += 1
        return heard

    async def overheard() -> float:
        first = await opened()
        await quiet(first)
        second = await opened()
        assert await quiet(second) > 10
        heard = await quiet(first)
        await asyncio.gather(first.close(), second.close())
        return heard

    assert apart(overheard()) == 0


def test_tabs_that_have_gone_are_not_waited_for(busy: tuple[Site, Path], hello: str) -> None:
    site, log = busy

    async def leave() -> None:
        line = await tab(site)
        await line.send(hello)
        await line.close()

    async def flood() -> float:
        await asyncio.gather(*(leave() for _ in range(60)))
        started = time.monotonic()
        async with tab(site) as line:
            await line.send(hello)
            await asyncio.wait_for(until(line, FIRST_NUMBER), 60)
        return time.monotonic() - started

    assert apart(flood()) < 15
    assert "Traceback" not in log.read_text()


def test_one_more_tab_beside_fifty(busy: tuple[Site, Path], hello: str) -> None:
    site, log = busy

    async def opened() -> ClientConnection:
        line = await tab(site)
        await line.send(hello)
        await until(line, FIRST_NUMBER)
        return line

    async def crowd() -> float:
        lines = await asyncio.gather(*(opened() for _ in range(50)))
        hearing = [asyncio.create_task(until(line, "nothing")) for line in lines]
        started = time.monotonic()
        last = await opened()
        seconds = time.monotonic() - started
        for task in hearing:
            task.cancel()
        await asyncio.gather(*(line.close() for line in (*lines, last)))
        return seconds

    assert apart(crowd()) < 15
    assert "Traceback" not in log.read_text()
