"""Being written."""

TITLE = "Funnel"
ABOUT = ""
PARTS: tuple[object, ...] = ()
