"""A webhook that was made with a token sees what the token may see, and ends with it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """The token of a webhook."""

    dependencies = [
        ("accounts", "0002_user_gains_bounced_email"),
        ("deliveries", "0007_endpoints_that_may_stand_still"),
    ]
    operations = [
        migrations.AddField(
            model_name="subscription",
            name="token",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.apitoken",
            ),
        ),
    ]
