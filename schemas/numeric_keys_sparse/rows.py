"""Rows of `numeric_keys_sparse`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    clients = [(random.randint(1_000_000, 9_999_999), random.choice(("a", "b"))) for _ in range(49)]
    clients.append((9_000_000_000_001, "b"))
    contracts = [
        (
            random.randint(10**11, 10**12 - 1),
            random.choice(clients)[0],
            random.choice((9.99, 19.99, 49.0)),
        )
        for _ in range(90)
    ]
    calls = [
        (
            random.randint(1, 200) * 10_000 + i,
            random.choice(contracts)[0],
            int(random.expovariate(0.01)),
        )
        for i in range(220)
    ]
    return {"client": clients, "contract": contracts, "call": calls}
