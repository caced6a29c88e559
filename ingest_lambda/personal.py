"""Names that say what a value is: something personal, or an id that only looks like a card number."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from ingest_lambda import shapes
from ingest_lambda.shapes import Shape

#: No name of a field is longer. What stands before that much of it says nothing, and would fill the caches.
MAX_NAME = 80


def _named(words: str, shape: Shape) -> dict[str, Shape]:
    return dict.fromkeys(words.split(), shape)


#: The last words of a name, in any case and with any separators, and the shape of what is personal under it:
#: `customer_email`, `billingAddress`, `access_token`.
_LAST_WORD: dict[str, Shape] = {
    **_named(
        "email password passwd pwd passphrase passwort token secret authorization credential credentials", shapes.said
    ),
    **_named("apikey ssn cvv cvc jwt bearer phpsessid jsessionid sessid aspsessionid", shapes.said),
    **_named(
        "phone tel telephone telefon telefono telefone telefoon mobile mobil movil celular cellphone", shapes.phone
    ),
    **_named("cell handy fax msisdn whatsapp phonenumber telefonnummer handynummer rufnummer", shapes.phone),
    **_named("address adresse anschrift direccion indirizzo", shapes.address),
    **_named("street strasse addressline", shapes.street),
    **_named("zip plz zipcode postcode postalcode postleitzahl", shapes.postcode),
    **_named("lat lng lon latitude longitude", shapes.coordinate),
    **_named("pin otp totp passcode pincode", shapes.pin),
    **_named("iban kontonummer passportnumber", shapes.number),
    **_named("ip ipaddress", shapes.ip),
    **_named("signature nonce wpnonce", shapes.secret),
    **_named("recipient cardholder addressee payee empfaenger kontoinhaber", shapes.name),
    **_named("firstname lastname surname vorname nachname familienname prenom apellido apellidos cognome", shapes.said),
    **_named("sobrenome achternaam voornaam username", shapes.said),
}
#: The same for a whole name, or its last two words: `e-mail`, `billing.name`.
_WHOLE: dict[str, Shape] = {
    **_named(
        "mail mailaddress emailaddress pw accesskey secretkey privatekey authkey consumerkey sessionkey orderkey",
        shapes.said,
    ),
    **_named("securitycode confirmpassword passwordconfirm passwordconfirmation", shapes.said),
    **_named("middlename maidenname familyname givenname legalname loginname customername buyername", shapes.said),
    **_named("recipientname contactname billingname payername sendername receivername guestname", shapes.said),
    **_named("membername employeename personname cardholdername accountholder holdername fullname", shapes.said),
    **_named("shippingname deliveryname accountname profilename ownername clientname", shapes.full_name),
    **_named("mobilenumber telnumber telno faxnumber contactnumber", shapes.phone),
    **_named("streetaddress line1 line2 line3 addr1 addr2", shapes.street),
    **_named("postal postalzip codepostal codigopostal", shapes.postcode),
    **_named("remoteaddr ipaddr clientip xforwardedfor", shapes.ip),
    **_named("card creditcard debitcard cardnumber cardno cardnum ccnumber ccno pan", shapes.card),
    **_named("accountnumber bankaccount socialsecurity securitynumber taxid taxnumber nationalid", shapes.number),
    **_named("passport passportno dob dateofbirth ofbirth birthdate birthday geburtsdatum geburtstag", shapes.number),
    **_named("bic swift", shapes.bic),
    **_named("pass", shapes.password),
    **_named("sid", shapes.sid),
    **_named("sig hash hmac session auth ticket assertion samlresponse samlrequest state invite magic", shapes.secret),
    **_named("key code", shapes.long_secret),
}
#: The last word of a name that holds an id or a time: its digits are nobody's card.
_ID_WORD = re.compile("ids|sku|ean|gtin|upc|isbn|asin|order|ref|reference|ts|time|timestamp|at|[a-z]*id")
#: These say "id" only with a word before them, as in `order_number`.
_NUMBER_WORD = re.compile("number|no|nr|code|key")
#: What is called so has a number with dots that is no address.
_VERSION_WORD = frozenset(
    ("version", "ver", "v", "release", "build", "revision", "firmware", "agent", "useragent", "ua")
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


def is_personal(name: str, value: Any, parent: str = "") -> bool:
    """Whether a value with this name is personal: `name` is so in `billing`, and not in `product`.

    What has parts of its own is personal where all of that name is; else its parts are looked at.
    """
    name = name[-MAX_NAME:]
    shape = shape_of(name) or (shape_of(f"{parent[-MAX_NAME:]} {name}") if parent else None)
    if shape is None or value is None or isinstance(value, bool):
        return False
    if isinstance(value, (dict, list)):
        return bool(value) and shape in (shapes.said, shapes.address)
    return shape(value if isinstance(value, str) else str(value))


@lru_cache(maxsize=2048)
def shape_of(name: str) -> Shape | None:
    """The shape of what is personal under this name; none where nothing is."""
    words = _words(name)
    if not words:
        return None
    last = words[-1].rstrip("0123456789") or words[-1]  # `email2` is an email
    for whole in ("".join(words), "".join(words[-2:]), "".join([*words[:-1], last]), "".join([*words[-2:-1], last])):
        if whole in _WHOLE:
            return _WHOLE[whole]
        if whole in _LAST_WORD:
            return _LAST_WORD[whole]
    return _LAST_WORD.get(last)


def is_id(name: str) -> bool:
    """Whether a name says that its value is an id, so that a number in it stays."""
    return _is_id(name[-MAX_NAME:])


@lru_cache(maxsize=2048)
def _is_id(name: str) -> bool:
    words = _words(name)
    if not words or shape_of(name) is not None:
        return False
    # Of an advertisement's tags each may be the id that its network gave it.
    is_tag = words[0] == "utm" or words[-1] in ("campaign", "adset", "gclid", "fbclid")
    return bool(is_tag or _ID_WORD.fullmatch(words[-1]) or (len(words) > 1 and _NUMBER_WORD.fullmatch(words[-1])))


def is_version(name: str) -> bool:
    """Whether a name says that its value is a version, or an agent's line of them."""
    return bool(name) and name[-MAX_NAME:].lower().replace("-", "_").rpartition("_")[2] in _VERSION_WORD


def _words(name: str) -> list[str]:
    words = [word.lower() for word in _WORD.findall(name.lower() if name.isupper() else name)]
    return words[:-1] if len(words) > 1 and words[-1].isdecimal() else words  # `address_line_1`
