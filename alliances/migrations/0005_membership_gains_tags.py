from django.db import migrations, models


class Migration(migrations.Migration):
    """By hand: Django would make SQLite's table anew, and its triggers would be lost."""

    dependencies = [
        ("alliances", "0004_access_day"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE alliances_membership"
                    " ADD COLUMN tags varchar(300) NOT NULL DEFAULT ''",
                    "ALTER TABLE alliances_membership DROP COLUMN tags",
                ),
            ],
            state_operations=[
                migrations.AddField(
                    model_name="membership",
                    name="tags",
                    field=models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        max_length=300,
                        verbose_name="tags",
                    ),
                ),
            ],
        ),
    ]
