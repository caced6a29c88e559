"""The web server's entry to the dashboard. `asgi` is a module of the folder shiny/, which is no package:

uvicorn --app-dir shiny clickstream_dagster.front.dashboard:site --port 3838
"""

from __future__ import annotations

import asgi  # type: ignore[import-not-found]  # the type checker looks at that folder on its own
from clickstream_dagster.front.servers import dashboard
from clickstream_dagster.settings import load_front

site = dashboard(asgi.site, load_front())
