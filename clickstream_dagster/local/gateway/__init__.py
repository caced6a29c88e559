"""The HTTP gateway of the laptop: what API Gateway is to the collector in the cloud, as one small ASGI app.

`app.py` answers requests, `api_event.py` translates them, `tokens.py` checks who is signed in, `admission.py` says how many at a
time, `connections.py` bounds what a connection may cost, `serving.py` listens.
"""
