"""Who answers for a webhook, and whether they have left its owner."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """The keeper of a webhook."""

    dependencies = [("deliveries", "0008_webhook_knows_its_token")]
    operations = [
        migrations.AddField(
            model_name="subscription",
            name="kept_by",
            field=models.CharField(blank=True, db_default="", default="", max_length=60),
        ),
        migrations.AddField(
            model_name="subscription",
            name="keeper_left_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
