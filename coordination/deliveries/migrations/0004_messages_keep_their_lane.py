"""A claim that touches no index, and lanes: messages that wait for an earlier one of their kind.

On PostgreSQL the pages of messages keep half their room free: a claim then fits beside the row it
replaces (a heap-only tuple). Nobody deletes a message before its attempts, and an attempt is
written by the statement that settles its message: no trigger needs to look for it again.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def leave_room(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Keep half of each page free."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE deliveries_message SET (fillfactor = 50)")


def fill_pages(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Go back to what was."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE deliveries_message SET (fillfactor = 70)")


class Migration(migrations.Migration):
    """Leases and lanes."""

    dependencies = [("deliveries", "0003_channels_gain_robots_inboxes_and_wishes")]
    operations = [
        migrations.AddField(
            model_name="message",
            name="leased_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="message",
            name="lane",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=60
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="lane",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=60
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("state", "pending"), models.Q(("lane", ""), _negated=True)),
                fields=["endpoint", "lane", "id"],
                name="message_in_its_lane",
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="message",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tries",
                to="deliveries.message",
            ),
        ),
        migrations.RunPython(leave_room, fill_pages),
    ]
