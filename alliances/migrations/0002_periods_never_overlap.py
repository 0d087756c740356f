"""Periods never overlap: an exclusion constraint on PostgreSQL, triggers on SQLite."""

from django.db import migrations

PROMISES = [
    (
        "membership_periods_never_overlap",
        "alliances_membership",
        ["alliance_id", "organization_id"],
    ),
    ("chair_terms_never_overlap", "alliances_chairterm", ["body_id"]),
]


def _exclusion(name, table, columns):
    same = ", ".join(f"{column} WITH =" for column in columns)
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {name} EXCLUDE USING gist "
        f"({same}, daterange(starts_on, ends_on, '[)') WITH &&)"
    )


def _trigger(name, table, columns, event):
    same = " AND ".join(f"{column} = NEW.{column}" for column in columns)
    return f"""
        CREATE TRIGGER {name}_{event.lower()} BEFORE {event} ON {table}
        WHEN EXISTS (
            SELECT 1 FROM {table} WHERE {same} AND id IS NOT NEW.id
            AND starts_on < COALESCE(NEW.ends_on, '9999-12-31')
            AND NEW.starts_on < COALESCE(ends_on, '9999-12-31')
        )
        BEGIN SELECT RAISE(ABORT, '{name}'); END
    """


def promise(apps, schema_editor):
    """Add the promises in the way the database can keep them."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    for name, table, columns in PROMISES:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(_exclusion(name, table, columns))
        else:
            for event in ("INSERT", "UPDATE"):
                schema_editor.execute(_trigger(name, table, columns, event))


def take_back(apps, schema_editor):
    """Remove the promises."""
    for name, table, _columns in PROMISES:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        else:
            for event in ("INSERT", "UPDATE"):
                schema_editor.execute(f"DROP TRIGGER {name}_{event.lower()}")


class Migration(migrations.Migration):
    dependencies = [("alliances", "0001_initial")]
    operations = [migrations.RunPython(promise, take_back)]
