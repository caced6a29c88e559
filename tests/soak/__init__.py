"""Nothing is lost and nothing is counted twice, whatever breaks: a known set of events through the real collector, loader and
PostgreSQL while they are killed and their network and their store fail. Run: `make soak MINUTES=5 SEED=1`.

`__main__.py` runs it, `shop.py` knows the events, `sender.py` sends them as the tracker does, `proxy.py` breaks requests on
their way, `site.py` has the processes, `faults.py` says when what breaks, `books.py` counts at the end.
"""
