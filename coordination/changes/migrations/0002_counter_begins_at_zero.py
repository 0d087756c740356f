"""The one row of the counter, so that numbering never has to make it."""

from django.db import migrations


def begin(apps, schema_editor):
    """Make the counter's row."""
    apps.get_model("changes", "Counter").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("changes", "0001_initial")]
    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
