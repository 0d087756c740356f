"""The few endpoints that every claim passes by: failing, switched off, or paused."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One index takes the place of another."""

    dependencies = [("deliveries", "0006_fan_out_writes_less")]
    operations = [
        migrations.RemoveIndex(model_name="endpoint", name="endpoint_with_open_circuit"),
        migrations.AddIndex(
            model_name="endpoint",
            index=models.Index(
                condition=models.Q(
                    ("failures__gte", 5),
                    ("disabled_at__isnull", False),
                    ("paused_until__isnull", False),
                    _connector="OR",
                ),
                fields=["channel"],
                name="endpoint_that_may_stand_still",
            ),
        ),
    ]
