"""Rows of `tenant_trees`, all invented."""

from random import Random
from uuid import UUID


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    nodes = [
        (
            tenant,
            i,
            random.randint(1, i - 1) if i > 2 else None,
            random.randint(1, i - 1) if i > 2 and random.random() < 0.5 else None,
            f"Node {i} of {tenant}",
        )
        for tenant in range(1, 9)
        for i in range(1, 12 + tenant)
    ]
    notes = [
        (i, node[0], node[1] if random.random() < 0.9 else None)
        for i, node in enumerate(random.choices(nodes, k=300), 1)
    ]
    folders = []
    for _ in range(6):
        account = str(UUID(int=random.getrandbits(128)))
        ids = [str(UUID(int=random.getrandbits(128))) for _ in range(random.randint(20, 40))]
        folders += [(account, one, random.choice(ids[: max(i, 1)])) for i, one in enumerate(ids)]
    return {"node": nodes, "note": notes, "folder": folders}
