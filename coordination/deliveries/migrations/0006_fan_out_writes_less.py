"""What a fan-out writes for each line: no entry for a message that is not there yet, no trigger.

The endpoint of a line is chosen by the statement that inserts it, and endpoints with lines are
never deleted; a trigger that looks it up once more for each line costs a fifth of the fan-out.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Indexes and constraints of deliveries."""

    dependencies = [("deliveries", "0005_webhooks_have_subscriptions")]
    operations = [
        migrations.AlterField(
            model_name="delivery",
            name="endpoint",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="deliveries.endpoint",
            ),
        ),
        migrations.AlterField(
            model_name="delivery",
            name="message",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="deliveries.message",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("message__isnull", False)),
                fields=["message"],
                name="delivery_in_its_message",
            ),
        ),
    ]
