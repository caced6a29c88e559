"""How far a property test looks: as far as CI has the time for or, with `HYPOTHESIS_PROFILE=thorough`, much further."""

from __future__ import annotations

import os

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "same")
IS_THOROUGH = PROFILE == "thorough"
EXAMPLES = 200


def examples(usual: int) -> int:
    """How many examples a property test tries that is too slow, or too quick, for the profile's own number."""
    return max(usual, EXAMPLES) if IS_THOROUGH else usual
