from django.db import migrations, models


class Migration(migrations.Migration):
    """Whether inviting named the organization in the event."""

    dependencies = [("events", "0002_events_by_alliance_and_openness")]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="names_organization",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
