"""Being written."""

TITLE = "Products"
ABOUT = ""
PARTS: tuple[object, ...] = ()
