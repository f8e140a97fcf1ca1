"""Invented values of the labelled columns: plain code, a seed, and the words of `words`."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import random
import string
from collections.abc import Callable
from decimal import Decimal

from stdnum import luhn
from stdnum.br import cnpj, cpf
from stdnum.de import idnr
from stdnum.es import dni
from stdnum.fr import nir
from stdnum.iso7064 import mod_97_10
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import nip, pesel
from stdnum.pt import nif

from bench.columns import words

Draw = Callable[[random.Random, str, int], object]
_FIRST = dt.date(1944, 1, 1)


def _digits(rng: random.Random, count: int) -> str:
    return rng.choice("123456789") + "".join(rng.choices("0123456789", k=count - 1))


def _letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("ABCDEFGHJKLMNPRSTVWXYZ", k=count))


def shaped(rng: random.Random, shape: str) -> str:
    """Digits for ``#`` (``%``: not zero), capital letters for ``?``."""
    drawn = {"#": "0123456789", "%": "123456789", "?": "ABCDEFGHJKLMNPRSTVWXYZ"}
    return "".join(rng.choice(drawn[c]) if c in drawn else c for c in shape)


def _either(rng: random.Random, text: str, separator: str = "|") -> str:
    return rng.choice(text.split(separator))


def _given(rng: random.Random, language: str) -> str:
    return rng.choice(words.GIVEN[language])


def _family(rng: random.Random, language: str) -> str:
    return rng.choice(words.FAMILY[language])


def _slug(rng: random.Random) -> str:
    return "-".join(rng.sample(words.SENTENCES["en"].split(), 3)) + f"-{rng.randrange(99)}"


def _mail(rng: random.Random, row: int) -> str:
    letters = string.ascii_lowercase
    who = "".join(rng.choices(letters, k=6))
    return f"{who}{rng.choice('._-')}{rng.choice(letters)}{row}@{_either(rng, 'mail|corp|web')}.example.com"


def _birth(rng: random.Random) -> dt.date:
    return _FIRST + dt.timedelta(days=rng.randrange(60 * 365))


def _street(rng: random.Random, language: str) -> str:
    street, number = _either(rng, words.STREETS[language]), rng.randrange(1, 240)
    leading = language in ("en", "fr")
    return f"{number} {street}" if leading else f"{street} {number}"


_POSTCODE = {"us": "#####", "gb": "??%# #??", "de": "%####", "fr": "%####", "es": "2####",
             "br": "#####-###", "pl": "##-###", "it": "%####", "nl": "%### ??", "pt": "%###-###"}  # fmt: skip
_PHONE = {
    "us": ("(%##) 555-01##", "%##-555-01##", "%##.555.01##"), "gb": ("07700 9#####", "020 7946 0###"),
    "de": ("0%#/555####", "+49 %## 55####", "0%##-######"), "fr": ("06 ## ## ## ##", "07########", "+33 6 ## ## ## ##"),
    "es": ("6########", "+34 6## ## ## ##", "9## ### ###"), "br": ("(%#) 9####-####", "+55 %# 9####-####"),
    "pl": ("5## ### ###", "+48 6## ### ###", "(##) ### ## ##"), "it": ("3## #######", "+39 3## ### ####"),
    "nl": ("06-########", "+31 6 ########"), "int": ("+44 7700 9#####", "+1 %## 555 01##", "+33 6 ## ## ## ##"),
    "intl": ("+49%#########", "+3161#######", "+3361#######"), "pt": ("9## ### ###", "+351 91# ### ###"),
    "ext": ("(%##) 555-01## ext. %##", "%##-555-01## x%##", "%##-555-01##"), "short": ("555-01##", "555-0###"),
}  # fmt: skip
_PLATE = {"gb": "??## ???", "de": "?-?? %###", "fr": "??-###-??", "br": "???#?##", "pl": "?? #####",
          "it": "?? ###??", "nl": "??-###-?", "es": "#### BCD", "us": "???-####"}  # fmt: skip
_LAND_SIZE = {"DE": 18, "FR": 23, "ES": 20, "NL": 14, "PL": 24, "IT": 23}


def _iban(rng: random.Random, land: str) -> str:
    body = {"NL": lambda: "TEST" + _digits(rng, 10), "IT": lambda: "X" + _digits(rng, 22)}.get(
        land, lambda: _digits(rng, _LAND_SIZE[land]))()  # fmt: skip
    return land + mod_97_10.calc_check_digits(body + land) + body


def _card(rng: random.Random) -> str:
    body = _either(rng, "411111|510510|555555") + _digits(rng, 9)
    return body + luhn.calc_check_digit(body)


def _checked(body: str, digit: Callable[[str], str]) -> str:
    return body + digit(body)


def _idnr(rng: random.Random) -> str:
    while True:
        body = list("1234567890")
        rng.shuffle(body)
        body[rng.randrange(1, 10)] = body[0]
        if body[0] != "0":
            text = "".join(body)
            for last in "0123456789":
                if idnr.is_valid(text + last):
                    return text + last


def _nir(rng: random.Random) -> str:
    body = (
        rng.choice("12")
        + f"{rng.randrange(45, 99):02}{rng.randrange(1, 13):02}"
        + f"{rng.randrange(10, 90)}{rng.randrange(1, 500):03}{rng.randrange(1, 500):03}"
    )
    return body + nir.calc_check_digits(body)


def _codice(rng: random.Random) -> str:
    born = _birth(rng)
    body = f"{_letters(rng, 6)}{born.year % 100:02}{'ABCDEHLMPRST'[born.month - 1]}{born.day:02}{rng.choice('ABCDEFGH')}{rng.randrange(100, 999)}"
    return body + codicefiscale.calc_check_digit(body)


def _pesel(rng: random.Random) -> str:
    born = _birth(rng)
    body = f"{born.year % 100:02}{born.month + (20 if born.year > 1999 else 0):02}{born.day:02}{rng.randrange(10_000):04}"
    return _checked(body, pesel.calc_check_digit)


def _weighted(rng: random.Random, count: int, valid: Callable[[str], bool]) -> str:
    while True:
        text = _digits(rng, count)
        if valid(text):
            return text


def _jwt(rng: random.Random) -> str:
    parts = [
        json.dumps({"alg": "HS256"}).encode(),
        json.dumps({"sub": rng.randrange(10**9)}).encode(),
        rng.randbytes(32),
    ]
    return ".".join(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts)


def _pem(rng: random.Random) -> str:
    return f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(rng.randbytes(48)).decode()}\n-----END PUBLIC KEY-----"


def _sentence(rng: random.Random, language: str, least: int = 5) -> str:
    found = rng.choices(words.SENTENCES[language].split(), k=rng.randrange(least, 14))
    return " ".join(found).capitalize() + "."


def _product(rng: random.Random, language: str) -> str:
    first, second = words.PRODUCTS[language]
    return f"{_either(rng, first)} {_either(rng, second)} {rng.choice(['', '', str(rng.randrange(10, 900))])}".strip()


def _company(rng: random.Random, language: str) -> str:
    return f"{_family(rng, language)} {_either(rng, words.COMPANIES[language])}"


def _dni(rng: random.Random) -> str:
    body = _digits(rng, 8)
    return body + dni.calc_check_digit(body)


def _imei(rng: random.Random) -> str:
    return _checked("35" + _digits(rng, 12), luhn.calc_check_digit)


def _bcrypt(rng: random.Random) -> str:
    return "$2b$12$" + "".join(rng.choices(string.ascii_letters + string.digits + "./", k=53))


def _hex(rng: random.Random, count: int) -> str:
    return f"{rng.getrandbits(count * 4):0{count}x}"


def _vin(rng: random.Random) -> str:
    return "".join(rng.choices("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", k=11)) + _digits(rng, 6)


def _btc(rng: random.Random) -> str:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    raw = b"\x00" + rng.randbytes(20)
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = alphabet[rest] + text
    return "1" + text


_PLAIN: dict[str, Draw] = {
    "serial": lambda r, a, i: i + 1,
    "count": lambda r, a, i: int(r.expovariate(1 / 400)),
    "small": lambda r, a, i: r.randrange(1, 9),
    "year": lambda r, a, i: r.randrange(1990, 2025),
    "number11": lambda r, a, i: int(_digits(r, 11)),
    "amount": lambda r, a, i: Decimal(r.randrange(100, 900_000)) / 100,
    "percent": lambda r, a, i: Decimal(r.choice([0, 500, 750, 1000, 1900, 2300])) / 100,
    "weight": lambda r, a, i: round(r.lognormvariate(0, 1), 3),
    "lat": lambda r, a, i: round(r.uniform(47, 55), 6),
    "lon": lambda r, a, i: round(r.uniform(6, 15), 6),
    "coordpair": lambda r, a, i: f"{r.uniform(47, 55):.5f}, {r.uniform(6, 15):.5f}",
    "bool": lambda r, a, i: r.random() < 0.4,
    "null": lambda r, a, i: None,
    "date": lambda r, a, i: dt.date(2019, 1, 1) + dt.timedelta(days=r.randrange(1800)),
    "timestamp": lambda r, a, i: dt.datetime(2023, 1, 1) + dt.timedelta(seconds=r.randrange(10**7)),
    "birth": lambda r, a, i: f"{_birth(r):%d/%m/%Y}" if a == "text" else _birth(r),
    "given": lambda r, a, i: _given(r, a),
    "family": lambda r, a, i: _family(r, a),
    "family2": lambda r, a, i: f"{_family(r, a)} {_family(r, a)}",
    "full": lambda r, a, i: f"{_given(r, a)} {_family(r, a)}",
    "comma": lambda r, a, i: f"{_family(r, a)}, {_given(r, a)}",
    "middle": lambda r, a, i: _letters(r, 1) + ".",
    "initial": lambda r, a, i: f"{_letters(r, 1)}. {_family(r, a)}",
    "shout": lambda r, a, i: f"{_given(r, a)} {_family(r, a)}".upper(),
    "user": lambda r, a, i: f"{_given(r, 'en')[:3].lower()}{_family(r, 'en')[:5].lower()}{r.randrange(100)}",
    "email": lambda r, a, i: _mail(r, i).upper() if a == "upper" else _mail(r, i),
    "phone": lambda r, a, i: shaped(r, r.choice(_PHONE[a])),
    "phoneint": lambda r, a, i: int(shaped(r, "%##55501##")),
    "street": lambda r, a, i: _street(r, a),
    "streetname": lambda r, a, i: _either(r, words.STREETS[a]),
    "address": lambda r, a, i: f"{_street(r, a)}, {r.choice(words.CITIES[a])}",
    "flat": lambda r, a, i: f"{r.choice(['Flat', 'Apt', 'Unit'])} {r.randrange(1, 60)}",
    "house": lambda r, a, i: f"{r.randrange(1, 200)}{r.choice(['', '', '', 'a', 'b'])}",
    "city": lambda r, a, i: r.choice(words.CITIES[a]),
    "postcode": lambda r, a, i: shaped(r, _POSTCODE[a]),
    "zip": lambda r, a, i: r.randrange(10_000, 99_999),
    "job": lambda r, a, i: _either(r, words.JOBS[a]),
    "company": lambda r, a, i: _company(r, a),
    "product": lambda r, a, i: _product(r, a),
    "sentence": lambda r, a, i: _sentence(r, a),
    "lorem": lambda r, a, i: " ".join(r.choices(["lorem", "ipsum", "dolor", "sit", "amet", "elit", "sed", "do"], k=3)),
    "ssn": lambda r, a, i: int(shaped(r, "%########")) if a == "int" else shaped(r, "%##-%#-####"),
    "nino": lambda r, a, i: shaped(r, "JG######") + r.choice("ABCD"),
    "idnr": lambda r, a, i: _idnr(r),
    "svnr": lambda r, a, i: shaped(r, "##") + f"{_birth(r):%d%m%y}" + shaped(r, "?###"),
    "nir": lambda r, a, i: _nir(r),
    "naf": lambda r, a, i: shaped(r, "##/%#######/##"),
    "dni": lambda r, a, i: _dni(r),
    "cpf": lambda r, a, i: _cpf(r, a),
    "cnpj": lambda r, a, i: cnpj.format((b := _digits(r, 8) + "0001") + cnpj.calc_check_digits(b)),
    "nif": lambda r, a, i: _weighted(r, 9, nif.is_valid),
    "pesel": lambda r, a, i: int(_pesel(r)) if a == "int" else _pesel(r),
    "nip": lambda r, a, i: _weighted(r, 10, nip.is_valid),
    "dowod": lambda r, a, i: shaped(r, "???######"),
    "codice": lambda r, a, i: _codice(r),
    "piva": lambda r, a, i: _checked(_digits(r, 7) + shaped(r, "0%#"), luhn.calc_check_digit),
    "bsn": lambda r, a, i: _bsn(r, a),
    "siret": lambda r, a, i: _checked(_checked(_digits(r, 8), luhn.calc_check_digit) + "0001", luhn.calc_check_digit),
    "vat": lambda r, a, i: a.upper() + _digits(r, 9),
    "passport": lambda r, a, i: shaped(r, "?########"),
    "licence": lambda r, a, i: shaped(r, "?????%######??#??"),
    "mrn": lambda r, a, i: "MRN" + _digits(r, 7),
    "iban": lambda r, a, i: _iban_written(r, a),
    "card": lambda r, a, i: _card_written(r, a),
    "account": lambda r, a, i: _digits(r, 8),
    "account26": lambda r, a, i: _iban(r, "PL")[2:],
    "sortcode": lambda r, a, i: shaped(r, "##-##-##"),
    "bic": lambda r, a, i: shaped(r, "????DE##"),
    "ip4": lambda r, a, i: f"203.0.113.{r.randrange(256)}" if r.random() < 0.3 else f"10.{r.randrange(256)}.{r.randrange(256)}.{r.randrange(1, 255)}",
    "ip6": lambda r, a, i: f"2001:db8:{_hex(r, 4)}::{_hex(r, 3)}",
    "mac": lambda r, a, i: ":".join(_hex(r, 2) for _ in range(6)),
    "imei": lambda r, a, i: _imei(r),
    "vin": lambda r, a, i: _vin(r),
    "plate": lambda r, a, i: shaped(r, _PLATE[a]),
    "url": lambda r, a, i: f"https://social.example.com/{_given(r, 'en').lower()}{i}" if a == "profile" else f"https://docs.example.com/{_slug(r)}",
    "jwt": lambda r, a, i: _jwt(r),
    "apikey": lambda r, a, i: "sk_live_" + "".join(r.choices(string.ascii_letters + string.digits, k=24)),
    "pem": lambda r, a, i: _pem(r),
    "bcrypt": lambda r, a, i: _bcrypt(r),
    "hex64": lambda r, a, i: _hex(r, 64),
    "hex32": lambda r, a, i: _hex(r, 32),
    "md5": lambda r, a, i: _hex(r, 32),
    "sha1": lambda r, a, i: _hex(r, 40),
    "sha256": lambda r, a, i: _hex(r, 64),
    "uuid": lambda r, a, i: f"{_hex(r, 8)}-{_hex(r, 4)}-4{_hex(r, 3)}-a{_hex(r, 3)}-{_hex(r, 12)}",
    "btc": lambda r, a, i: _btc(r),
    "eth": lambda r, a, i: "0x" + _hex(r, 40),
    "sku": lambda r, a, i: shaped(r, "??-####"),
    "code": lambda r, a, i: shaped(r, "???%####"),
    "invoice": lambda r, a, i: f"2024/{i + 100:05}",
    "tracking": lambda r, a, i: shaped(r, "??#########ES"),
    "shelf": lambda r, a, i: shaped(r, "?%-##-##"),
    "ean13": lambda r, a, i: _ean(_digits(r, 12)),
    "isbn": lambda r, a, i: _ean("978" + _digits(r, 9)),
    "luhnless16": lambda r, a, i: _digits(r, 16),
    "slug": lambda r, a, i: _slug(r),
    "hashtag": lambda r, a, i: "#" + _either(r, words.SENTENCES["en"], " ") + str(r.randrange(99)),
    "path": lambda r, a, i: f"/srv/files/{_hex(r, 4)}/{_slug(r)}.jpg",
    "filename": lambda r, a, i: f"{_slug(r)}.{_either(r, 'pdf|png|docx')}",
    "useragent": lambda r, a, i: f"Mozilla/5.0 (X11; Linux x86_64; rv:{r.randrange(60, 130)}.0) Gecko/20100101",
    "version": lambda r, a, i: f"{r.randrange(9)}.{r.randrange(20)}.{r.randrange(50)}",
    "expiry": lambda r, a, i: f"{r.randrange(1, 13):02}/{r.randrange(24, 32)}",
    "hour": lambda r, a, i: f"{r.randrange(24):02}:{r.randrange(60):02}",
    "price": lambda r, a, i: f"€ {r.randrange(1, 900)},{r.randrange(100):02}",
}  # fmt: skip


def _cpf(rng: random.Random, how: str) -> object:
    whole = _weighted(rng, 11, cpf.is_valid)
    return int(whole) if how == "int" else cpf.format(whole)


def _bsn(rng: random.Random, how: str) -> object:
    whole = _weighted(rng, 9, bsn.is_valid)
    return int(whole) if how == "int" else whole


def _ean(body: str) -> str:
    total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(body))
    return body + str(-total % 10)


def _iban_written(rng: random.Random, how: str) -> str:
    text = _iban(rng, "ES" if how == "es" else rng.choice(list(_LAND_SIZE)))
    return " ".join(text[i : i + 4] for i in range(0, len(text), 4)) if how == "spaced" else text


def _card_written(rng: random.Random, how: str) -> object:
    text = _card(rng)
    if how == "int":
        return int(text)
    return " ".join(text[i : i + 4] for i in range(0, 16, 4)) if how == "spaced" else text


def values_of(generator: str, rows: int, seed: str) -> list[object]:
    """As many values as there are rows; the same for the same seed.

    Args:
        generator: ``name.argument``, then ``*N`` for N different values and ``%P`` for P percent
            of NULLs.
    """
    rng = random.Random(seed)
    generator, _, nulls = generator.partition("%")
    generator, _, pool = generator.partition("*")
    draw = _drawing(generator)
    found = [draw(rng, i) for i in range(int(pool) if pool else rows)]
    if pool:
        found = [rng.choice(found) for _ in range(rows)]
    return [None if nulls and rng.random() < int(nulls) / 100 else value for value in found]


def _drawing(generator: str) -> Callable[[random.Random, int], object]:
    if generator in words.LISTS:
        listed = words.LISTS[generator].split()
        return lambda rng, i: rng.choice(listed)
    name, _, argument = generator.partition(".")
    draw = _PLAIN[name]
    return lambda rng, i: draw(rng, argument, i)
