"""Being written."""

TITLE = "Search"
ABOUT = ""
PARTS: tuple[object, ...] = ()
