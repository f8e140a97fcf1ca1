"""Rows of `exclusive_arc`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    attachments = []
    for i in range(1, 161):
        to_post = random.random() < 0.7
        post, comment = (random.randint(1, 40), None) if to_post else (None, random.randint(1, 100))
        attachments.append((i, post, comment, int(random.lognormvariate(10 if to_post else 8, 1))))
    return {
        "post": [(i, f"Post {i}") for i in range(1, 41)],
        "comment": [(i, random.randint(1, 40), random.randint(1, 60)) for i in range(1, 101)],
        "attachment": attachments,
    }
