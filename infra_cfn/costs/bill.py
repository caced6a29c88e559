"""A month's bill: what is used, in which row it stands, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import NamedTuple

from infra_cfn.costs import assumptions as a
from infra_cfn.costs.prices import Price

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Traffic:
    """A shop's month, after so many months of it."""

    events: Decimal
    events_per_request: Decimal = a.EVENTS_PER_REQUEST
    months_kept: Decimal = a.MONTHS_KEPT
    machine: str = field(init=False)

    def __post_init__(self) -> None:
        machine = next(name for most, name in a.MACHINES if self.events <= most)
        object.__setattr__(self, "machine", machine)

    @property
    def requests(self) -> Decimal:
        return self.events / self.events_per_request

    @property
    def events_kept(self) -> Decimal:
        return self.events * self.months_kept

    @property
    def warehouse_gb(self) -> Decimal:
        """Both databases."""
        dagster = a.DAGSTER_BYTES_PER_RUN * a.HOURS * self.months_kept
        return (self.events_kept * a.WAREHOUSE_BYTES_PER_EVENT + dagster) / a.GB

    @property
    def disk_gb(self) -> Decimal:
        """The data disk, in steps of ten."""
        wanted = max(a.DATA_GB_AT_LEAST, self.warehouse_gb * a.DATA_ROOM)
        return (wanted / 10).to_integral_value(ROUND_CEILING) * 10

    @property
    def tick_seconds(self) -> Decimal:
        """An average hour's. Lambda ends one at 900."""
        load = self.events * a.TICK_SECONDS_PER_EVENT + self.requests * a.TICK_SECONDS_PER_OBJECT
        return a.TICK_SECONDS + load / a.HOURS


class Line(NamedTuple):
    """A quantity of something that has a price, and the row of the bill that it belongs to."""

    row: str
    price: str
    quantity: Decimal


def analytics(traffic: Traffic) -> list[Line]:
    """What the analytics uses."""
    return [*_collecting(traffic), *_raw_events(traffic), *_watching(traffic), *_warehouse(traffic)]


def _collecting(traffic: Traffic) -> Iterator[Line]:
    cold = max(traffic.requests * a.COLD_SHARE, min(traffic.requests, a.COLD_AT_LEAST))
    collector = (traffic.requests * a.COLLECTOR_SECONDS + cold * a.COLD_SECONDS) * a.COLLECTOR_GB
    operations = a.HOURS * a.OPERATIONS_SECONDS * a.OPERATIONS_GB
    yield Line("API Gateway, HTTP API", "api_requests", traffic.requests)
    yield Line("Lambda, collector", "lambda_requests", traffic.requests)
    yield Line("Lambda, collector", "lambda_gb_seconds", collector)
    yield Line("Lambda, hourly tick", "lambda_requests", a.HOURS * 2)
    yield Line("Lambda, hourly tick", "lambda_gb_seconds", a.HOURS * traffic.tick_seconds * a.TICK_GB + operations)
    yield Line("Data out to browsers", "out_gb", traffic.requests * a.RESPONSE_BYTES / a.GB)


def _raw_events(traffic: Traffic) -> Iterator[Line]:
    lists = a.HOURS * a.TICK_LISTS + traffic.requests * a.TICK_LOOKBACK_HOURS / a.KEYS_PER_LIST
    kept = traffic.events_kept * a.RAW_BYTES_PER_EVENT / a.GB
    yield Line("S3, one PUT for each request", "s3_writes", traffic.requests + a.HOURS)
    yield Line("S3, one GET for each object, lists", "s3_reads", traffic.requests + a.HOURS)
    yield Line("S3, one GET for each object, lists", "s3_writes", lists)
    yield Line("S3, raw events kept", "s3_gb", kept)


def _watching(traffic: Traffic) -> Iterator[Line]:
    logs = traffic.requests * a.LOG_BYTES_PER_REQUEST + a.HOURS * a.LOG_BYTES_PER_TICK
    yield Line("CloudWatch, logs", "log_gb", logs / a.GB)
    yield Line("CloudWatch, metrics and alarms", "metrics", a.METRICS)
    yield Line("CloudWatch, metrics and alarms", "alarms", a.ALARMS)
    yield Line("CloudWatch, metrics and alarms", "dashboards", a.DASHBOARDS)
    yield Line("CloudWatch, metrics and alarms", "metric_reads", a.HOURS * a.OPERATIONS_METRICS)


def _warehouse(traffic: Traffic) -> Iterator[Line]:
    changed = traffic.warehouse_gb / traffic.months_kept / 30 * a.CHANGED_PER_DAY
    backups = traffic.events_kept * a.BACKUP_BYTES_PER_EVENT * a.BACKUPS_BILLED / a.GB
    yield Line("EC2, warehouse machine", traffic.machine, a.HOURS)
    yield Line("EBS, its disks", "disk_gb", a.ROOT_GB + traffic.disk_gb)
    yield Line("EBS, daily snapshots", "snapshot_gb", traffic.warehouse_gb + changed * a.SNAPSHOTS_KEPT)
    yield Line("S3, nightly backups", "s3_gb", backups)
    yield Line("Interface endpoints", "endpoint_hours", a.HOURS * a.ENDPOINTS)


def shop(traffic: Traffic) -> list[Line]:
    """What is the shop's own."""
    visits = traffic.events / a.EVENTS_PER_VISIT
    return [
        Line("EC2, the shop's database", "t4g.micro", a.HOURS),
        Line("EC2, the shop's database", "disk_gb", a.OLTP_DISK_GB),
        Line("EC2, the shop's database", "snapshot_gb", a.OLTP_DISK_GB),
        Line("EC2, the shop's database", "address_hours", a.HOURS),
        Line("Amplify, the shop's pages", "amplify_minutes", a.BUILDS * a.BUILD_MINUTES),
        Line("Amplify, the shop's pages", "amplify_gb", visits * a.SHOP_GB_PER_VISIT),
    ]


def firewall(traffic: Traffic) -> list[Line]:
    """What the switch for CloudFront and WAF before the API adds."""
    return [
        Line("WAF", "firewall_lists", Decimal(1)),
        Line("WAF", "firewall_rules", a.FIREWALL_RULES),
        Line("WAF", "firewall_requests", traffic.requests),
        Line("CloudFront", "cdn_requests", traffic.requests),
    ]


def often(traffic: Traffic) -> list[Line]:
    """What a tick every five minutes adds to the hourly one. What its load takes is there anyway, an hour at a time."""
    more = a.HOURS * (a.OFTEN_TICKS - 1)
    return [
        Line("Lambda", "lambda_requests", more),
        Line("Lambda", "lambda_gb_seconds", a.HOURS * a.OFTEN_TICKS * a.OFTEN_SECONDS * a.TICK_GB),
        Line("S3, lists", "s3_writes", a.HOURS * a.OFTEN_TICKS * a.OFTEN_LISTS),
        Line("CloudWatch, logs", "log_gb", more * a.OFTEN_LOG_BYTES / a.GB),
    ]


def costs(lines: Sequence[Line], prices: Mapping[str, Price], *, is_free_tier: bool) -> dict[str, Decimal]:
    """Dollars of each row, to the cent. What is free is shared out among the rows that use it."""
    used: dict[str, Decimal] = {}
    for line in lines:
        used[line.price] = used.get(line.price, Decimal(0)) + line.quantity
    rows: dict[str, Decimal] = {}
    for line in lines:
        price, all_of_it = prices[line.price], used[line.price]
        billed = max(Decimal(0), all_of_it - price.free) / all_of_it if is_free_tier else Decimal(1)
        rows[line.row] = rows.get(line.row, Decimal(0)) + price.of(line.quantity) * billed
    return {row: dollars.quantize(CENT, ROUND_HALF_UP) for row, dollars in rows.items()}


def total(rows: Mapping[str, Decimal]) -> Decimal:
    """The sum of the rows as they are shown."""
    return sum(rows.values(), Decimal(0))
