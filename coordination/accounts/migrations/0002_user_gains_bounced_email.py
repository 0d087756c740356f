"""Remember which address mail came back from, so that another one is free of the mark."""

import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="bounced_email",
            field=models.EmailField(
                blank=True,
                default="",
                editable=False,
                max_length=254,
                verbose_name="address that mail came back from",
            ),
        ),
        migrations.AlterConstraint(
            model_name="user",
            name="username_is_unique_in_any_case",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("username"),
                name="username_is_unique_in_any_case",
                violation_error_code="username_taken",
                violation_error_message="A user with that username already exists.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="user",
            name="email_is_unique_in_any_case",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("email"),
                condition=models.Q(("email", ""), _negated=True),
                name="email_is_unique_in_any_case",
                violation_error_code="email_taken",
                violation_error_message="A user with that e-mail address already exists.",
            ),
        ),
    ]
