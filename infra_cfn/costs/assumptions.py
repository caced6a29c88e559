"""What the bill is computed from, besides prices: figures that were measured, and those that were not, each with its reason.

Measured: on 2026-11-21, on two shared cores, on the 60 days that `clickstream demo` makes (79,005 events) and on one visit of
a browser to the static demo shop that there was then, with a pause of three to nine seconds before each click. measure.py does
it again, on the storefront.
"""

from decimal import Decimal as D

HOURS = D(730)  # a month, as AWS counts
GB = D(10**9)  # AWS bills GiB for some of these: up to 7 % less than is computed here
MONTHS_KEPT = D(12)  # the bill is that of the twelfth month: nothing is ever deleted, and disks fill

# The visit: 51 events, 14 of them pages, in 20 requests (19 the time before). What a page has not seen acknowledged when it is
# left is sent again by the next one, so that 64 lines were stored: the loader counts the second as duplicates.
VISIT_REQUESTS = D(20)
EVENTS_PER_REQUEST = D(51) / VISIT_REQUESTS
EVENTS_PER_PAGE = D(51) / D(14)
EVENTS_PER_VISIT = D(51)
RAW_BYTES_PER_EVENT = D(58_749) / D(51)

# All tables and indexes of the demo, 130,252,800 bytes. The events alone are 954 bytes each; the rest grows with days, pages
# and products, and so less than this says in a busy shop.
WAREHOUSE_BYTES_PER_EVENT = D(130_252_800) / D(79_005)
BACKUP_BYTES_PER_EVENT = D(24_089_672) / D(79_005)  # pg_dump --format custom --compress 3
DAGSTER_BYTES_PER_RUN = D(616_000)  # of an hour's run with its 292 log rows, with indexes

# The collector: about 1 ms of a core for a request of four events, so 4 ms at 512 MB (0.29 of a core). The rest is waiting for
# S3, which was not measured here.
COLLECTOR_SECONDS = D("0.050")
COLLECTOR_GB = D("0.512")  # ingest.yaml
COLD_SECONDS = D("0.6")  # not measured on Lambda; `import` of the collector takes 72 ms of a whole core
COLD_SHARE = D("0.01")  # AWS: cold starts are typically under 1 % of calls
COLD_AT_LEAST = D(6) * HOURS  # but a quiet shop's every visit starts cold: one is kept some ten minutes
RESPONSE_BYTES = D(600)  # headers and verdict

# The tick: 11 to 15 s for an hour of 20 events and 65 s for 137,000, at 136 and 227 MB, on a machine with four times the work
# that it has cores for; 2 and 13 s of it were its own processor time. Reading was from a folder: S3 is added below.
TICK_SECONDS = D(12)
TICK_SECONDS_PER_EVENT = D("0.0004")
TICK_SECONDS_PER_OBJECT = D("0.00125")  # 20 ms for a GET, sixteen at a time; not measured
TICK_GB = D("1.769")  # etl.yaml
TICK_LISTS = D(110)  # the prefixes of its hour and of the look-back
TICK_LOOKBACK_HOURS = D(49)
KEYS_PER_LIST = D(1000)

# A tick every five minutes: 300 events take 0.25 s on a day of history and 1.3 s on five million events, in a warm function
# without Dagster; S3 and the network are added. Its lists are the prefixes of two hours, the closing run's are above.
OFTEN_TICKS = D(12)  # in each hour; one of them makes the hour's run
OFTEN_SECONDS = D("1.5")
OFTEN_LISTS = D(8)
OFTEN_LOG_BYTES = D(1_200)
OPERATIONS_SECONDS, OPERATIONS_GB = D(5), D("0.256")  # reads some twenty metrics; not measured
OPERATIONS_METRICS = D(20)

# Logs of a request: our line 199 bytes (measured), its metrics 500, Lambda's three lines 290, API Gateway's 250 (not measured).
LOG_BYTES_PER_REQUEST = D(1_240)
LOG_BYTES_PER_TICK = D(20_000)
METRICS, ALARMS, DASHBOARDS = D(14), D(20), D(1)  # monitoring.yaml

# Which machine, and up to how many events a month. The largest warehouse that was ever measured has 10 million events in all;
# what lies beyond is computed, not tried, and the last size is not among those of warehouse.yaml.
MACHINES = ((100_000, "t4g.small"), (1_000_000, "t4g.medium"), (5_000_000, "t4g.large"), (10**12, "r7g.xlarge"))
ROOT_GB = D(16)
DATA_GB_AT_LEAST = D(20)
DATA_ROOM = D("1.5")  # for work, WAL and until someone looks
SNAPSHOTS_KEPT = D(14)
CHANGED_PER_DAY = D(4)  # blocks that a day changes, in the size of what it adds; not measured
BACKUPS_BILLED = D(28)  # a nightly backup for 14 days, and each deleted one 14 days more as a version
ENDPOINTS = D(2)  # ssm, ssmmessages; in one zone

# The shop's own, which it has with analytics or without.
OLTP_DISK_GB = D(8 + 10)
BUILDS, BUILD_MINUTES = D(10), D(3)
SHOP_GB_PER_VISIT = D("0.002")  # pictures, mostly
FIREWALL_RULES = D(3)
