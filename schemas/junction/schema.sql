CREATE TABLE student (
    id INTEGER PRIMARY KEY,
    name VARCHAR(40) NOT NULL,
    term SMALLINT NOT NULL
);
CREATE TABLE course (
    id INTEGER PRIMARY KEY,
    title VARCHAR(40) NOT NULL,
    credits SMALLINT NOT NULL
);
CREATE TABLE enrolment (
    student_id INTEGER NOT NULL REFERENCES student (id),
    course_id INTEGER NOT NULL REFERENCES course (id),
    grade NUMERIC(2, 1),
    PRIMARY KEY (student_id, course_id)
);
