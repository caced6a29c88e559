"""Being written."""

TITLE = "Acquisition"
ABOUT = ""
PARTS: tuple[object, ...] = ()
