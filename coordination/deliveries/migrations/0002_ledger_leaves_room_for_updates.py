"""Leave room in the pages of tables whose rows are updated a few times soon after they are made.

PostgreSQL only: an update that fits on the same page touches no index (heap-only tuples), and
dead rows are cleared before they pile up. SQLite has no such setting.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

TABLES = ("deliveries_message", "deliveries_delivery")


def leave_room(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Set the fill factor and vacuum early."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for table in TABLES:
        schema_editor.execute(
            f"ALTER TABLE {table} SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)"
        )


def fill_pages(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Go back to the server's defaults."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for table in TABLES:
        schema_editor.execute(
            f"ALTER TABLE {table} RESET (fillfactor, autovacuum_vacuum_scale_factor)"
        )


class Migration(migrations.Migration):
    """Storage settings of the ledger."""

    dependencies = [("deliveries", "0001_initial")]
    operations = [migrations.RunPython(leave_room, fill_pages)]
