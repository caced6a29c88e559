"""The demo's traffic: a seeded shop of computer products, sent as browsers send, faults and all."""

from clickstream_dagster.local.traffic.catalogue import SHOP_HOSTS
from clickstream_dagster.local.traffic.generate import requests
from clickstream_dagster.local.traffic.request import Request
from clickstream_dagster.local.traffic.sending import send
from clickstream_dagster.local.traffic.truth import Sale, Sent, Truth

__all__ = ["SHOP_HOSTS", "Request", "Sale", "Sent", "Truth", "requests", "send"]
