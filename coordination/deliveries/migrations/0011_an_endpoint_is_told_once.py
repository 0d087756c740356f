"""The ledger's key without what follows from the endpoint: its owner and its channel.

A fan-out compares each new line with those beside it in the key. With the whole cause first, and
the recipient behind it, that was a fifth of what writing a line costs.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A narrower key; the wider one goes when it stands."""

    dependencies = [("deliveries", "0010_claimed_messages_stay_on_their_page")]
    operations = [
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                fields=("source_id", "endpoint", "source", "generation"),
                name="endpoint_is_told_once_for_each_cause",
            ),
        ),
        migrations.RemoveConstraint(
            model_name="delivery", name="recipient_is_told_once_for_each_cause"
        ),
    ]
