"""Packs: the small objects of an hour in one. A pack is a container and nothing more: whoever lists an hour finds the objects
that were packed, under their own keys, and reads them as if they still lay there."""
