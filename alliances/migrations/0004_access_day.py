"""A mark for the clock: up to which day access that begins or ends is in the change log."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alliances", "0003_person_details_gain_bounced_email")]

    operations = [
        migrations.CreateModel(
            name="AccessDay",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False),
                ),
                ("recorded_on", models.DateField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="access_day_is_a_single_row"
                    )
                ],
            },
        ),
    ]
