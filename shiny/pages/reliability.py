"""Being written."""

TITLE = "Reliability"
ABOUT = ""
PARTS: tuple[object, ...] = ()
