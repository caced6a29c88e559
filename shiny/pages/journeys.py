"""Being written."""

TITLE = "Journeys"
ABOUT = ""
PARTS: tuple[object, ...] = ()
