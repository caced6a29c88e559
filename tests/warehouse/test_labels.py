"""Where a visit came from and what made it are labels: other rules, lists or hosts label history anew, as a fresh load would."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from clickstream_dagster.partitions import HOUR
from clickstream_dagster.raw import agents, channel_file
from clickstream_dagster.stack import Stack
from clickstream_dagster.warehouse import migrate as migrating
from clickstream_dagster.warehouse.connection import transaction
from clickstream_dagster.warehouse.load import load_hours
from clickstream_dagster.warehouse.migrate import migrate
from clickstream_dagster.warehouse.rebuild import OutdatedProcess, rebuild_all
from ingest_lambda.contract import Event
from support.stories import DAY, RECEIVED, event, load, rows, tell
from support.tables import differences, dump, unequal_sums

OTHER_RULES = (
    channel_file.SHIPPED.read_text()
    .replace("scheme: shop", "scheme: ga4")
    .replace("  fbclid:", "  partner_ref: {source: our partner, kind: affiliate}\n  fbclid:")
)
PAGES = (
    "/",
    "/?utm_source=any&utm_medium=cpc",
    "/?partner_ref=7",
    "/p/1?gclid=x&size=41",
    "/p/2?fbclid=y",
    "/cart?q=a",
)
REFERRERS = (
    None,
    None,
    "https://www.google.com/",
    "https://vimeo.com/1",
    "https://blog.example/",
    "https://kasse.shop.example/",
)
AGENTS = (None, "Googlebot/2.1", "axios/1.7.2", "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/128.0")


def year(seed: int) -> list[Event]:
    rng = random.Random(seed)
    events = []
    for _ in range(250):
        visitor, moment = f"v{rng.randrange(90)}", DAY + timedelta(minutes=rng.randrange(365 * 24 * 60))
        referrer, agent = rng.choice(REFERRERS), rng.choice(AGENTS)
        for name in rng.choices(
            ("page_view", "view_product", "search", "add_to_cart", "purchase"), k=rng.randint(1, 5)
        ):
            more = {"search_query": "mouse"} if name == "search" else {}
            path = rng.choice(PAGES)
            events.append(event(moment, name, visitor, path, referrer=referrer, user_agent=agent, **more))
            moment += timedelta(minutes=rng.choice((0, 1, 12, 40)))
            referrer = rng.choice((None, "https://shop.example/", *REFERRERS))
    return events


def with_rules(stack: Stack, text: str, folder: Path) -> Stack:
    file = folder / "channels.yml"
    file.write_text(text)
    return Stack(replace(stack.settings, channels=file))


def settle(stack: Stack) -> None:
    with stack.warehouse() as connection:
        rebuild_all(connection)


def contents(stack: Stack) -> dict[str, str]:
    with stack.warehouse() as connection:
        assert unequal_sums(connection) == {}
        return dump(connection)


def test_other_rules_label_a_year_anew_as_a_fresh_load_would(make_stack: Callable[..., Stack], tmp_path: Path) -> None:
    events = year(1)
    standing, fresh = make_stack(), with_rules(make_stack(), OTHER_RULES, tmp_path)
    tell(standing, *events[:500])
    tell(standing, *events[500:])
    before = contents(standing)
    changed = with_rules(standing, OTHER_RULES, tmp_path)
    settle(changed)
    with fresh.warehouse() as connection:
        load_hours(connection, standing.store, RECEIVED, RECEIVED + HOUR)
    settle(fresh)
    after = contents(changed)
    assert {name for name in after if before[name] != after[name]} >= {
        "dim_source",
        "fact_sessions",
        "agg_daily_acquisition",
    }
    assert differences(contents(fresh), after) == {}


def test_the_same_rules_owe_nothing_and_others_owe_what_they_label_differently(stack: Stack, tmp_path: Path) -> None:
    tell(stack, event("1 10:00", path="/?partner_ref=1"), event("1 10:00", visitor="bob", path="/?gclid=1"))
    with stack.warehouse() as connection, connection.cursor() as cursor:
        migrate(connection, stack.settings)
        cursor.execute("select count(*) from changed_spans")
        assert cursor.fetchall() == [(0,)]
    other = OTHER_RULES.replace("scheme: ga4", "scheme: shop")
    changed = with_rules(stack, other, tmp_path)
    assert rows(changed, "select visitor_id from changed_spans") == [("ann",)]
    settle(changed)
    assert rows(changed, "select visitor_id, channel, source from fact_sessions order by 1") == [
        ("ann", "affiliate", "our partner"),
        ("bob", "paid search", "google"),
    ]


def test_a_host_of_the_shop_is_learned_and_is_no_source_backwards_in_time(stack: Stack) -> None:
    came = event("1 10:00", path="/", referrer="https://kasse.example/x")
    tell(stack, came)
    assert rows(stack, "select channel, source from fact_sessions") == [("referral", "kasse.example")]
    served = event("2 10:00", visitor="bob")
    served.page_url = "https://kasse.example/pay"
    tell(stack, served)
    assert rows(stack, "select channel, source from fact_sessions where visitor_id = 'ann'") == [("direct", None)]
    assert rows(stack, "select channel, sessions from agg_daily_acquisition where channel <> 'direct'") == []


def test_one_event_does_not_make_a_search_engine_the_shop_s_own(stack: Stack) -> None:
    forged = event("1 10:00", visitor="eve")
    forged.page_url = "https://www.google.com/"
    tell(stack, forged, event("1 10:00", path="/", referrer="https://www.google.com/"))
    assert rows(stack, "select channel from fact_sessions where visitor_id = 'ann'") == [("organic search",)]


@pytest.mark.parametrize(
    "back_from", ["https://3ds.sparkasse.example/", "https://www.facebook.com/", "https://mail.google.com/"]
)
def test_who_comes_back_in_mid_session_from_a_bank_or_a_sign_in_comes_from_nowhere_else(
    stack: Stack, back_from: str
) -> None:
    tell(stack, event("1 10:00", path="/cart"), event("1 10:05", "purchase", path="/thanks", referrer=back_from))
    assert rows(stack, "select channel, source from fact_sessions") == [("direct", None)]


def test_a_campaign_in_mid_session_tells_where_nothing_did_before(stack: Stack) -> None:
    tell(stack, event("1 10:00", path="/"), event("1 10:05", path="/?utm_source=news&utm_medium=email"))
    assert rows(stack, "select channel, source, medium from fact_sessions") == [("email", "news", "email")]


def test_the_landing_page_s_referrer_counts_before_a_later_campaign(stack: Stack) -> None:
    story = (
        event("1 09:59", "login"),  # says nothing of a page
        event("1 10:00", path="/", referrer="https://duckduckgo.com/"),
        event("1 10:05", path="/?utm_source=news&utm_medium=email"),
    )
    tell(stack, *story)
    assert rows(stack, "select channel, source from fact_sessions") == [("organic search", "duckduckgo.com")]


def test_another_version_of_the_lists_labels_every_agent_anew(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    tell(stack, event("1 10:00", user_agent="Friendly/1.0 (Android 14; Mobile)"), event("1 10:00", visitor="bob"))
    assert rows(stack, "select is_bot, device_type, operating_system from fact_sessions where visitor_id = 'ann'") == [
        (False, "mobile", "Android")
    ]
    monkeypatch.setattr(agents, "version", lambda: "the next one")
    monkeypatch.setattr(agents, "label", lambda text: agents.Agent("bot", "desktop"))
    with pytest.raises(OutdatedProcess, match="Restart"):
        load(stack, event("1 11:00"))
    with stack.warehouse() as connection:
        migrate(connection, stack.settings)
        with transaction(connection) as cursor:
            cursor.execute("select visitor_id from changed_spans")
            assert cursor.fetchall() == [("ann",)]
        rebuild_all(connection)
    assert rows(stack, "select is_bot, device_type, operating_system from fact_sessions order by visitor_id") == [
        (True, "desktop", None),
        (False, None, None),
    ]


def test_events_that_were_loaded_before_there_were_labels_get_theirs(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    firefox = "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/128.0"
    tell(stack, *year(2)[:200], event("1 10:00", path="/?gclid=1", user_agent=firefox, props={"webdriver": True}))
    before = contents(stack)
    with stack.warehouse() as connection:
        with transaction(connection) as cursor:
            cursor.execute("truncate dim_source, dim_user_agent, shop_hosts")
            cursor.execute("update clickstream_events set source_key = null, agent_key = null, is_automated = false")
            cursor.execute("delete from schema_migrations where name = '0014_labels.sql'")
        monkeypatch.setattr(migrating, "_apply", lambda cursor, pending: None)
        migrate(connection, stack.settings)
    assert differences(before, contents(stack)) == {}


def test_a_file_that_is_not_there_is_named(stack: Stack, tmp_path: Path) -> None:
    missing = Stack(replace(stack.settings, channels=tmp_path / "none.yml"))
    with (
        pytest.raises(channel_file.ChannelsUnusable, match=r"CLICKSTREAM_CHANNELS names .*none\.yml"),
        missing.warehouse(),
    ):
        pass
