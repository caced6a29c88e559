"""Names that say what a value is: something personal, or an id that only looks like a card number."""

from __future__ import annotations

import re
from functools import lru_cache

#: A name that is one of these, written in any case and with any separators, holds personal data.
_WHOLE = re.compile(
    r"""(?x)
    e?mail (address)? | (tele|mobile)? phone (number)? | mobile (number)? | tel (number)? | fax
    | (first|last|full|middle|maiden|sur) name | dob | dateofbirth | birth (date|day)
    | address | address line | street (address)? | (zip|post|postal) (code)? | lat | lng | lon | latitude | longitude
    | (remote|ip)? addr | ip (address)? | xforwardedfor
    | (credit|debit)? card (number|no)? | cc (number|no) | cvv | cvc | securitycode | iban | bic
    | (bank)? account number | bankaccount | ssn | socialsecuritynumber | taxid | passport (number)?
    | confirmpassword | password confirm (ation)? | pin | otp | auth | jwt | bearer | (api|secret|private) key
    """
)
#: A name that ends in one of these words does too: `customer_email`, `billingAddress`, `access_token`.
_LAST_WORD = re.compile(
    "email|phone|tel|password|passwd|pwd|passphrase|address|street|ssn|iban|cvv|cvc|token|secret|authorization"
    "|credentials?|apikey|ip"
)
#: The last word of a name that holds an id or a time: its digits are nobody's card.
_ID_WORD = re.compile("ids|sku|ean|gtin|upc|isbn|asin|order|ref|reference|ts|time|timestamp|at|[a-z]*id")
#: These say "id" only with a word before them, as in `order_number`.
_NUMBER_WORD = re.compile("number|no|nr|code|key")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


@lru_cache(maxsize=2048)
def is_personal(name: str) -> bool:
    """Whether the value of a parameter or a property with this name is personal."""
    words = _words(name)
    if not words:
        return False
    endings = "".join(words), "".join(words[-2:])  # `e_mail` and `zip_code` are two words
    return bool(_LAST_WORD.fullmatch(words[-1])) or any(_WHOLE.fullmatch(ending) for ending in endings)


@lru_cache(maxsize=2048)
def is_id(name: str) -> bool:
    """Whether a name says that its value is an id, so that a number in it stays."""
    words = _words(name)
    if not words or is_personal(name):
        return False
    return bool(_ID_WORD.fullmatch(words[-1]) or (len(words) > 1 and _NUMBER_WORD.fullmatch(words[-1])))


def _words(name: str) -> list[str]:
    words = [word.lower() for word in _WORD.findall(name.lower() if name.isupper() else name)]
    return [*words[:-1], words[-1].rstrip("0123456789") or words[-1]] if words else words  # `email2` is an email
