from django.db import migrations, models


class Migration(migrations.Migration):
    """What is open to everyone, of one alliance, in the order of time: by one index."""

    dependencies = [("events", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                fields=["alliance", "openness", "starts_at", "id"],
                name="event_by_alliance_openness",
            ),
        ),
    ]
