"""Being written."""

TITLE = "Retention"
ABOUT = ""
PARTS: tuple[object, ...] = ()
