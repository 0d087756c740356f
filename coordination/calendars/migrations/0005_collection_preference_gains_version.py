from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("calendars", "0004_collection_preference_keeps_what_a_person_sets")]

    operations = [
        migrations.AddField(
            model_name="collectionpreference",
            name="version",
            field=models.PositiveIntegerField(default=0),
        ),
    ]
