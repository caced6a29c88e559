"""Where a visit came from, as SQL over any table with its columns."""

from __future__ import annotations

from queries import PERIOD

#: A website that a tag calls by its name is that source: google.com is google, once a link of the period says utm_source=google.
_NAME = r"substring(source from '([^.]+)[.][a-z]+$')"
SOURCE = f"""case when {_NAME} in (
        select source from agg_daily_acquisition where {PERIOD} and position('.' in source) = 0
    ) then {_NAME} else source end"""
