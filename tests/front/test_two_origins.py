"""A stranger's page in the owner's browser, against all that we serve: it reads nothing, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from three_servers import Three, strangers_page

WIPE = (
    'mutation{wipeAssets(assetPartitionRanges:[{assetKey:{path:["dim_date"]}}]){__typename '
    "... on AssetWipeSuccess{assetPartitionRanges{assetKey{path}}}}}"
)
LAUNCH = (
    'mutation{launchRun(executionParams:{selector:{repositoryLocationName:"clickstream",repositoryName:"__repository__",'
    'pipelineName:"__ASSET_JOB",assetSelection:[{path:["dim_date"]}]}}){__typename ... on PythonError{message}}}'
)

#: What a page can do to a server with GraphQL: its answer, where it gets one, or the name of what it got instead.
EVERY_WAY = """async ({url, path, query}) => {
  const got = {}, address = `${url}${path}${query ? "?query=" + encodeURIComponent(query) : ""}`;
  const said = async (name, ask) => { try { got[name] = await ask(); } catch (error) { got[name] = error.name; } };
  const made = (tag, set) => new Promise((resolve) => {
    const element = document.createElement(tag);
    element.onload = () => resolve("loaded"); element.onerror = () => resolve("error");
    set(element); document.body.append(element);
    setTimeout(() => resolve("silence"), 8000);
  });
  await said("img", () => made("img", (e) => { e.src = address; }));
  await said("script", () => made("script", (e) => { e.src = address; }));
  await said("style", () => made("link", (e) => { e.rel = "stylesheet"; e.href = address; }));
  await said("read", async () => (await fetch(address, {credentials: "include"})).text());
  await said("opaque", async () => (await fetch(address, {mode: "no-cors"})).text());
  await said("page", async () => (await fetch(address, {headers: {accept: "text/html"}})).text());
  const body = JSON.stringify({query});
  for (const type of ["application/json", "text/plain", "text/plain; application/json", "application/graphql"])
    for (const mode of ["cors", "no-cors"])
      await said(`post ${type} ${mode}`, async () => (await fetch(url + path, {method: "POST", mode, body,
        headers: {"content-type": type}})).text());
  await said("beacon", () => { navigator.sendBeacon(address, new Blob([body], {type: "text/plain"})); return "sent"; });
  for (const [method, enctype] of [["get", ""], ["post", "text/plain"], ["post", "application/x-www-form-urlencoded"]])
    await said(`form ${method} ${enctype}`, async () => {
      const name = `into${Math.random()}`, field = document.createElement("input"), form = document.createElement("form");
      await made("iframe", (frame) => { frame.name = name; });
      Object.assign(form, {method, action: address, target: name});
      if (enctype) form.enctype = enctype;
      [field.name, field.value] = ["query", query];
      form.append(field); document.body.append(form);
      const frame = document.querySelector(`iframe[name="${name}"]`);
      const answered = new Promise((resolve) => { frame.onload = resolve; setTimeout(resolve, 8000); });
      form.submit();
      await answered;
      return frame.contentDocument?.body.innerText ?? "SecurityError";
    });
  await said("frame", () => new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.onload = () => resolve(frame.contentDocument?.body.innerText ?? "SecurityError");
    frame.onerror = () => resolve("error");
    frame.src = address; document.body.append(frame); setTimeout(() => resolve("silence"), 8000);
  }));
  return got;
}"""
SOCKET = """({url, protocol, first}) => new Promise((resolve) => {
  const socket = protocol ? new WebSocket(url, protocol) : new WebSocket(url);
  socket.onopen = () => { socket.send(first); };
  socket.onmessage = (message) => resolve("read: " + message.data.slice(0, 200));
  socket.onclose = () => resolve("closed");
  setTimeout(() => resolve("silence"), 8000);
})"""
#: The first message of each of the two that speak by WebSocket.
SOCKETS = {
    "dashboard": ("/sbw_dashboard/websocket/", "", '{"method":"init","data":{}}'),
    "dagster": ("/graphql", "graphql-ws", '{"type":"connection_init"}'),
}
#: What stands for "nothing": a failed request, an opaque answer, or a form that went away.
NOTHING = {"TypeError", "SecurityError", "error", "silence", "", "sent"}


@pytest.fixture(params=["evil.test", "127.0.0.1"], ids=["another-site", "another-port"])
def stranger(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """The page, at another site or at another port of this machine."""
    with strangers_page() as port:
        page = browser.new_context().new_page()
        page.goto(f"http://{request.param}:{port}/")
        yield page
        page.context.close()


@pytest.mark.parametrize("mutation", ["wipe", "delete", "launch", "shut"])
def test_it_changes_nothing_in_dagster(three: Three, stranger: Page, mutation: str) -> None:
    runs = three.runs()
    query = {
        "wipe": WIPE,
        "delete": f'mutation{{deletePipelineRun(runId:"{runs[0]}"){{__typename}}}}',
        "launch": LAUNCH,
        "shut": 'mutation{shutdownRepositoryLocation(repositoryLocationName:"clickstream"){__typename}}',
    }[mutation]
    got = stranger.evaluate(EVERY_WAY, {"url": three.url("dagster"), "path": "/graphql", "query": query})
    assert set(got.values()) <= NOTHING, got
    assert three.runs() == runs
    assert three.materialized("dim_date")
    assert "clickstream" in str(
        three.graphql("{repositoriesOrError{... on RepositoryConnection{nodes{location{name}}}}}")
    )


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("dagster", "/"),
        ("dagster", "/server_info"),
        ("dagster", "/download_debug/x"),
        ("dagster", "/report_asset_materialization/dim_date"),
        ("dashboard", "/sbw_dashboard/"),
        ("dashboard", "/healthz"),
        ("gateway", "/openapi.json"),
        ("gateway", "/healthz"),
    ],
)
def test_it_reads_nothing(three: Three, stranger: Page, name: str, path: str) -> None:
    got = stranger.evaluate(EVERY_WAY, {"url": three.url(name), "path": path, "query": ""})
    assert set(got.values()) <= NOTHING, got
    assert [got[way] for way in ("img", "script", "style")] == ["error"] * 3
    assert [frame.url for frame in stranger.frames if frame.url.startswith(three.url(name))] == []


def test_it_reads_no_answer_to_a_query(three: Three, stranger: Page) -> None:
    got = stranger.evaluate(
        EVERY_WAY, {"url": three.url("dagster"), "path": "/graphql", "query": "{instance{executablePath}}"}
    )
    assert set(got.values()) <= NOTHING, got


@pytest.mark.parametrize("name", SOCKETS)
def test_its_websockets_are_refused(three: Three, stranger: Page, name: str) -> None:
    path, protocol, first = SOCKETS[name]
    url = three.url(name).replace("http", "ws") + path
    assert stranger.evaluate(SOCKET, {"url": url, "protocol": protocol, "first": first}) == "closed"


@pytest.mark.parametrize("name", SOCKETS)
def test_a_name_of_his_that_leads_here_is_refused(three: Three, browser: Browser, name: str) -> None:
    page = browser.new_context().new_page()
    answer = page.goto(three.url(name, "rebound.test") + "/")
    assert answer is not None
    assert answer.status == 400
    path, protocol, first = SOCKETS[name]
    url = three.url(name, "rebound.test").replace("http", "ws") + path
    assert page.evaluate(SOCKET, {"url": url, "protocol": protocol, "first": first}) == "closed"
    read = page.evaluate("async () => (await fetch('/graphql?query={version}')).status")
    assert read == 400
    page.context.close()


def test_the_same_ways_lead_in_from_dagster_s_own_page(three: Three, browser: Browser) -> None:
    """So the ways above are real ones, and the mutations would do what they say."""
    page = browser.new_context().new_page()
    page.goto(three.url("dagster") + "/server_info")
    url = three.url("dagster").replace("http", "ws") + SOCKETS["dagster"][0]
    said = page.evaluate(SOCKET, {"url": url, "protocol": SOCKETS["dagster"][1], "first": SOCKETS["dagster"][2]})
    assert said == 'read: {"type":"connection_ack"}'
    ask = (
        "async (query) => (await fetch('/graphql', {method: 'POST', body: JSON.stringify({query}), "
        "headers: {'content-type': 'application/json'}})).json()"
    )
    launched: dict[str, Any] = page.evaluate(ask, LAUNCH)
    assert launched["data"]["launchRun"]["__typename"] == "LaunchRunSuccess"
    assert page.evaluate(ask, WIPE)["data"]["wipeAssets"]["__typename"] == "AssetWipeSuccess"
    page.context.close()


def test_the_collector_takes_a_shop_s_events_and_its_tracker_loads(three: Three, stranger: Page) -> None:
    post = """async (url) => { const answer = await fetch(url + "/clickstream", {method: "POST", body: JSON.stringify(
      {event_name: "page_view", event_timestamp: new Date().toISOString(), client_id: "ann", page_url: location.href}),
      headers: {"content-type": "application/json"}}); return [answer.status, (await answer.json()).accepted]; }"""
    assert stranger.evaluate(post, three.url("gateway")) == [200, 1]
    stranger.add_script_tag(url=three.url("gateway") + "/clickstream.js")
    assert stranger.evaluate("window.clickstream.stats.sent") == 0
