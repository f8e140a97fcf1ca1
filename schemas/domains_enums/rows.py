"""Rows of `domains_enums`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    moods = ("sad", "even", "even", "glad", 'it\'s "fine"')
    respondents = [
        (
            i,
            None if i % 6 == 0 else f"person{i}@survey.example",
            random.choice(moods),
            None if i % 4 == 0 else "{" + ",".join(random.choices(("sad", "glad"), k=i % 3)) + "}",
            None if i % 5 == 0 else f"({random.randint(60, 200)},{random.randint(60, 120)})",
        )
        for i in range(1, 81)
    ]
    answers = [
        (i, question, round(random.random() * 100, 2))
        for i in range(1, 81)
        for question in range(1, random.randint(2, 5))
    ]
    return {"respondent": respondents, "answer": answers}
