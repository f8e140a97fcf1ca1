"""Rows of `multi_tenant`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    tenants = [(i, f"Tenant {i}", random.choice(("free", "free", "team"))) for i in range(1, 13)]
    projects = [
        (t, i, f"Project {i}") for t, _, _ in tenants for i in range(1, random.randint(2, 6))
    ]
    members = [
        (t, i, f"member{i}@tenant{t}.example")
        for t, _, _ in tenants
        for i in range(1, random.randint(3, 9))
    ]
    assignments = [
        (t, p, m, random.randint(1, 60) / 2)
        for t, p, _ in projects
        for other, m, _ in members
        if other == t and random.random() < 0.6
    ]
    return {"tenant": tenants, "project": projects, "member": members, "assignment": assignments}
