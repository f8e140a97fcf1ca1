"""Rows of `junction`, all invented."""

from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    students = [(i, f"Student {i:02d}", random.randint(1, 8)) for i in range(1, 61)]
    courses = [(i, f"Course {i}", random.choice((3, 5, 5, 8))) for i in range(1, 21)]
    enrolments = [
        (student, course, random.choice((None, 1.0, 1.7, 2.3, 3.0, 4.0)))
        for student, _, _ in students
        for course in sorted(random.sample(range(1, 21), random.randint(0, 7)))
    ]
    return {"student": students, "course": courses, "enrolment": enrolments}
