"""Rows of `hostile_types`, all invented; `specimens` makes any number of them."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

Rows = dict[str, list[tuple[object, ...]]]
_WORDS = ("river", "stone", "cloud", "ember", "moss", "tide", "lantern", "harbour")
_GIVEN = ("Ada", "Boris", "Chloe", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ida", "Jonas")
_FAMILY = ("Quill", "Marsh", "Okafor", "Lindqvist", "Tanaka", "Bauer", "Rossi", "Novak")


def rows(random: Random) -> Rows:
    return specimens(random, 300)


def specimens(random: Random, count: int) -> Rows:
    """So many rows of every table."""

    def made(one: object) -> list[tuple[object, ...]]:
        assert callable(one)
        return [(i, *one(random, i)) for i in range(1, count + 1)]

    return {
        "numbers": made(_numbers),
        "moments": made(_moments),
        _WORD_COLUMNS: made(_words),
        "documents": made(_documents),
        "spans": made(_spans),
        "places": made(_places),
    }


def _maybe(random: Random, value: object, share: float = 0.1) -> object:
    return None if random.random() < share else value


def _numbers(random: Random, i: int) -> tuple[object, ...]:
    yes = random.random() < 0.3
    special = random.random()
    measure: object = random.gauss(50 if yes else 20, 4)
    if special < 0.15:
        measure = ("NaN", "Infinity", "-Infinity")[int(special * 20)]
    flags = "".join("1" if random.random() < p else "0" for p in (0.9, 0.1, 0.5, 0, 0, 1, 0.2, 0.2))
    return (
        random.choice((-32768, 32767, 0, 1, 1, 1)),
        random.randint(-99, 99) * 100,
        random.choice(("NaN", "Infinity", Decimal(random.getrandbits(70)) / 1000)),
        _maybe(random, Decimal(random.randint(100, 99999)) / 100),
        round(random.gauss(0, 1), 3),
        measure,
        random.choice((5e-324, -0.0, random.lognormvariate(-30, 1))),
        f"{random.lognormvariate(4, 1):.2f}" if random.random() < 0.9 else "-12.50",
        yes,
        Decimal(random.randint(0, 10000)) / 100,
        7,
        None,
        80_000_000 + 7919 * i,
        16384 + random.randrange(5),
        random.choice(("pg_class", "pg_type", None)),
        f"0/{random.getrandbits(31):X}",
        flags,
        _maybe(random, "1" * random.randint(0, 12)),
    )


def _moments(random: Random, i: int) -> tuple[object, ...]:
    day = date(2019, 1, 1) + timedelta(days=random.randrange(1500))
    stamp = datetime(2023, 1, 1) + timedelta(seconds=random.randrange(40_000_000))
    until: object = day + timedelta(days=random.randrange(400))
    expires: object = stamp.replace(tzinfo=UTC) + timedelta(hours=random.randrange(900))
    return (
        day if random.random() < 0.95 else "0044-03-15 BC",
        "infinity" if random.random() < 0.4 else until,
        time(random.randrange(24), random.randrange(60)),
        f"{random.randrange(24):02}:30:00{random.choice(('+02', '-05', '+05:30'))}",
        stamp,
        random.choice(("infinity", "-infinity")) if random.random() < 0.2 else expires,
        random.choice(("1 mon", "3 mons", "1 year", "1 year", "2 years -1 mons", "14 days")),
        timedelta(seconds=random.randint(-7200, 90_000)),
    )


_WORD_COLUMNS = (
    "words (id, feeling, code, letter, short_name, title, body, tags, scores, moods, days, grid,"
    " parts, box_size, named, query)"
)


def _words(random: Random, i: int) -> tuple[object, ...]:
    feeling = random.choice(("calm", "calm", "glad", "sad"))
    sizes = [
        f"({random.randint(1, 90)},{random.randint(100, 999) / 10},{random.choice(('cm', 'in'))})"
        for _ in range(random.randint(0, 3))
    ]
    size = '(,,"cm, or so")' if random.random() < 0.1 else f"({random.randint(1, 90)},2.50,mm)"
    first = random.randrange(1000)
    tags = random.sample(_WORDS[:4] if feeling == "calm" else _WORDS[4:], random.randint(0, 3))
    body = " ".join(random.choices(_WORDS, k=random.randint(3, 30)))
    return (
        feeling,
        random.choice(("ab", "abcd", "x")),
        random.choice("abc"),
        random.choice(("main", "side")),
        f"{random.choice(_WORDS)} {random.choice(_WORDS)} {i}",
        body,
        _maybe(random, tags),
        [random.randint(0, 9) if random.random() < 0.9 else None for _ in range(i % 5)],
        random.choice((["calm"], ["glad", "sad"], [])),
        [date(2020, 1, 1) + timedelta(days=first + k) for k in range(random.randint(0, 4))],
        [[random.randint(0, 1) for _ in range(3)] for _ in range(2)],
        "{" + ",".join(json.dumps(s) for s in sizes) + "}",
        size,
        random.sample(("red", "green", "blue"), 2),
        f"'{random.choice(_WORDS)}' & '{random.choice(_WORDS)}'",
    )


def _documents(random: Random, i: int) -> tuple[object, ...]:
    plan = random.choice(("free", "free", "pro"))
    person = f"{random.choice(_GIVEN)} {random.choice(_FAMILY)}"
    profile: dict[str, object] = {
        "email": f"{person.replace(' ', '.').lower()}{i}@mail-{i % 7}.test",
        "name": person,
        "plan": {"tier": plan, "seats": random.randint(1, 5) * (10 if plan == "pro" else 1)},
        "score": round(random.gauss(70 if plan == "pro" else 40, 5), 1),
        "since": str(date(2020, 1, 1) + timedelta(days=random.randrange(900))),
        "active": random.random() < 0.8,
        "tags": random.sample(_WORDS, random.randint(0, 3)),
    }
    if plan == "pro":
        profile["invoice"] = f"INV-{random.randint(10_000, 99_999)}"
    if random.random() < 0.2:
        profile["score"] = random.choice((None, "unknown"))
    per_user = {
        f"{random.choice(_GIVEN).lower()}.{random.randrange(10**6)}@mail.test": random.randint(1, 5)
        for _ in range(random.randint(0, 4))
    }
    lines = [
        {"sku": f"SKU-{random.randint(1, 12):03}", "quantity": random.randint(1, 9),
         **({"note": "gift"} if random.random() < 0.3 else {})}
        for _ in range(random.choice((1, 1, 2, 3, 8)))
    ]  # fmt: skip
    odd = random.choice(("[]", "7", '"text"', "null", '{"a":{"b":{"c":[1,2,[3]]}}}'))
    return (
        plan,
        json.dumps(profile),
        odd if random.random() < 0.2 else json.dumps({"theme": random.choice(("dark", "light"))}),
        json.dumps(per_user),
        json.dumps(lines),
    )


def _span(random: Random, low: object, high: object) -> str:
    what = random.random()
    if what < 0.15:
        return "empty"
    if what < 0.25:
        return f'["{low}",)'
    if what < 0.3:
        return "(,)" if what < 0.27 else f'(,"{high}")'
    return f'["{low}","{high}")'


def _spans(random: Random, i: int) -> tuple[object, ...]:
    kind = random.choice(("short", "long"))
    width = random.randint(1, 9) * (100 if kind == "long" else 1)
    low = random.randint(0, 5000)
    day = date(2021, 1, 1) + timedelta(days=random.randrange(700))
    stop = day + timedelta(days=width)
    stamp = datetime(2022, 1, 1) + timedelta(minutes=random.randrange(500_000))
    end = stamp + timedelta(minutes=15 * width)

    def several(make: object) -> str:
        assert callable(make)
        return "{" + ",".join(make(k) for k in range(random.randint(0, 3))) + "}"

    return (
        kind,
        _span(random, low, low + width),
        _span(random, low * 10**9, (low + width) * 10**9),
        _span(random, low / 4, low / 4 + width / 8).replace("[", random.choice("[(")),
        _span(random, day, stop),
        _span(random, stamp, end),
        _maybe(random, _span(random, f"{stamp}+00", f"{end}+00")),
        several(lambda k: f"[{low + 5000 * k},{low + 5000 * k + width})"),
        several(lambda k: f"[{low + 5000 * k},{low + 5000 * k + width})"),
        several(lambda k: f"({low + 5000 * k}.5,{low + 5000 * k + width}.75]"),
        several(lambda k: f"[{day + timedelta(days=2000 * k)},{stop + timedelta(days=2000 * k)})"),
        several(lambda k: f'["{stamp + timedelta(days=9 * k)}","{end + timedelta(days=9 * k)}")'),
        several(lambda k: f'["{stamp + timedelta(days=9 * k)}+00",'
                          f'"{end + timedelta(days=9 * k)}+00")'),
    )  # fmt: skip


def _places(random: Random, i: int) -> tuple[object, ...]:
    x, y = round(random.gauss(13.4, 0.2), 4), round(random.gauss(52.5, 0.1), 4)
    corners = [(x + random.random(), y + random.random()) for _ in range(random.randint(3, 6))]
    drawn = ",".join(f"({a:.3f},{b:.3f})" for a, b in corners)
    network = random.choice((8, 16, 24, 24, 24, 28))
    return (
        _maybe(random, f"({x},{y})"),
        f"({x + 1:.2f},{y + 2:.2f}),({x:.2f},{y:.2f})",
        f"<({x},{y}),{random.randint(1, 20)}>",
        f"{{1,-1,{random.randint(0, 9)}}}",
        f"[({x},{y}),({x + 0.5:.2f},{y})]",
        f"[{drawn}]" if random.random() < 0.7 else f"({drawn})",
        f"({drawn})",
        f"10.{i % 200}.{i // 200}.7/{random.choice((8, 24, 32))}"
        if random.random() < 0.8 else f"2001:470:{i:x}::1",
        {8: "10.0.0.0/8", 16: f"172.{i % 100}.0.0/16", 24: f"10.9.{i % 250}.0/24",
         28: f"10.8.{i % 250}.16/28"}[network],
        f"02:00:5e:00:{i // 256:02x}:{i % 256:02x}",
        f"02:00:5e:ff:fe:00:{i // 256:02x}:{i % 256:02x}",
        UUID(int=random.getrandbits(128), version=4),
        random.randbytes(random.randint(0, 40)),
    )  # fmt: skip
