"""Snowplow's files of enriched events: lines of 131 columns with tabs between them and no header, as the pipeline writes them,
or lines of JSON, as its Analytics SDKs make of these.

https://docs.snowplow.io/docs/pipeline/enriched-tsv-format
"""

from __future__ import annotations

from typing import Any

from ingest_lambda.contract import Reject
from ingest_lambda.reading import parse

NAME = "snowplow"
#: The header that the files do not have.
_HEADER = """
app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id name_tracker v_tracker
v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid domain_sessionidx network_userid geo_country
geo_region geo_city geo_zipcode geo_latitude geo_longitude geo_region_name ip_isp ip_organization ip_domain
ip_netspeed page_url page_title page_referrer page_urlscheme page_urlhost page_urlport page_urlpath page_urlquery
page_urlfragment refr_urlscheme refr_urlhost refr_urlport refr_urlpath refr_urlquery refr_urlfragment refr_medium
refr_source refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign contexts se_category se_action se_label
se_property se_value unstruct_event tr_orderid tr_affiliation tr_total tr_tax tr_shipping tr_city tr_state tr_country
ti_orderid ti_sku ti_name ti_category ti_price ti_quantity pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max
useragent br_name br_family br_version br_type br_renderengine br_lang br_features_pdf br_features_flash
br_features_java br_features_director br_features_quicktime br_features_realplayer br_features_windowsmedia
br_features_gears br_features_silverlight br_cookies br_colordepth br_viewwidth br_viewheight os_name os_family
os_manufacturer os_timezone dvce_type dvce_ismobile dvce_screenwidth dvce_screenheight doc_charset doc_width
doc_height tr_currency tr_total_base tr_tax_base tr_shipping_base ti_currency ti_price_base base_currency geo_timezone
mkt_clickid mkt_network etl_tags dvce_sent_tstamp refr_domain_userid refr_dvce_tstamp derived_contexts
domain_sessionid derived_tstamp event_vendor event_name event_format event_version event_fingerprint true_tstamp
"""
COLUMNS = tuple(_HEADER.split())
#: What its own tables say twice, or about a browser that the user agent tells.
_REPEATED = ("page_url", "refr_url", "br_", "os_", "doc_", "dvce_screen", "dvce_ismobile")
_KEPT = frozenset(("page_url", "br_lang", "br_family", "os_family"))
_JSON = ("contexts", "unstruct_event", "derived_contexts")


def record(line: bytes) -> Any:
    """The record of a line, in Snowplow's words. Raises `Reject`."""
    if line.lstrip().startswith(b"{"):
        return parse(line)
    try:
        cells = line.decode().rstrip("\r\n").split("\t")
    except UnicodeDecodeError:
        raise Reject("invalid_utf8", "the text is not UTF-8") from None
    if len(cells) != len(COLUMNS):
        raise Reject("invalid_row", f"Snowplow: an enriched event has {len(COLUMNS)} columns, this line {len(cells)}")
    return {
        name: _value(name, cell) for name, cell in zip(COLUMNS, cells, strict=True) if cell and not _is_repeated(name)
    }


def _is_repeated(name: str) -> bool:
    return name.startswith(_REPEATED) and name not in _KEPT


def _value(name: str, cell: str) -> Any:
    if name in _JSON:
        return parse(cell.encode())
    if name.endswith("_tstamp") and " " in cell:
        return cell.replace(" ", "T") + "Z"  # the pipeline writes UTC, and does not say so
    return cell
