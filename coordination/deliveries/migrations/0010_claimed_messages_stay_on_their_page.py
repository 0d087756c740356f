"""A claimed message stays on its page: PostgreSQL leaves more room there.

A claim makes the row longer (lease, end of the lease, first try). With half of the page free, a
quarter of the claimed rows did not fit beside what they replaced and went to another page, with an
entry in every index. With three fifths free all of them fit, and the settled ones after them: the
table ends up no larger, since no page is added on the way.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def leave_room(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Keep three fifths of each page free."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE deliveries_message SET (fillfactor = 40)")


def fill_pages(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Go back to half."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE deliveries_message SET (fillfactor = 50)")


class Migration(migrations.Migration):
    """Storage settings of messages."""

    dependencies = [("deliveries", "0009_webhook_knows_who_answers_for_it")]
    operations = [migrations.RunPython(leave_room, fill_pages)]
