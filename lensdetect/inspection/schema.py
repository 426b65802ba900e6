"""Tables of the store: subjects, graders, their tokens, and the log of grades.

The log only grows. The database itself refuses to change or remove a row of it,
so that no slip in this package, or in a script beside it, alters what somebody
has said.
"""

from __future__ import annotations

from sqlalchemy import (
    DDL,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    event,
)

#: Goes up with every change of the tables below; a store of another one is refused.
SCHEMA_VERSION = 1
#: What a store says of itself.
KIND = "lensdetect grades"

metadata = MetaData()

#: What the store is and was begun with: names and values.
facts = Table("facts", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

#: What is graded. ``planted`` is empty, "lens", "dud" or "known"; ``truth`` is 1 for a lens, 0 for none, null where
#: nobody knows. ``collection`` and ``member`` say where its pixels are; ``training`` ones come with the answer.
subjects = Table(
    "subjects",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("collection", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("planted", Text, nullable=False, default=""),
    Column("truth", Float),
    Column("training", Boolean, nullable=False, default=False),
    Column("turn", Integer, nullable=False, default=0),
    Column("about", Text, nullable=False, default="{}"),
)

graders = Table(
    "graders",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("invited", Boolean, nullable=False),
    Column("made_at", Text, nullable=False),
    # from then on this grader knows the answers, and grades no more
    Column("finished_at", Text),
)

#: Only a salted hash of a token is kept: who reads the store can sign in as nobody.
tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("grader", ForeignKey("graders.number"), nullable=False),
    Column("salt", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("revoked_at", Text),
)

#: One row a grade, and one more where a grade is taken back (``undoes`` it). ``grade_id`` is made by who sends it, so
#: that what is sent twice counts once.
log = Table(
    "log",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("grade_id", Text, nullable=False, unique=True),
    Column("subject", ForeignKey("subjects.number"), nullable=False),
    Column("grader", ForeignKey("graders.number"), nullable=False),
    Column("showing", Integer, nullable=False),
    Column("undoes", Text),
    Column("grade", Float),
    Column("kind", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("graded_at", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    Column("version", Text, nullable=False),
    CheckConstraint("(undoes IS NULL) = (grade IS NOT NULL)", name="a_row_grades_or_undoes"),
    Index("log_of_grader", "grader", "subject"),
)

_REFUSAL = "the log of grades only grows"
for _change in ("UPDATE", "DELETE"):
    event.listen(
        log,
        "after_create",
        DDL(
            f"CREATE TRIGGER log_refuses_{_change.lower()} BEFORE {_change} ON log "
            f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
        ).execute_if(dialect="sqlite"),
    )
event.listen(
    log,
    "after_create",
    DDL(
        "CREATE FUNCTION log_refuses() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
    ).execute_if(dialect="postgresql"),
)
event.listen(
    log,
    "after_create",
    DDL(
        "CREATE TRIGGER log_refuses_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON log "
        "FOR EACH STATEMENT EXECUTE FUNCTION log_refuses()"
    ).execute_if(dialect="postgresql"),
)
