import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    """Who was asked and told, what they answered without a login, and the mail that came in."""

    dependencies = [
        ("alliances", "0004_access_day"),
        ("events", "0003_invitation_names_its_organization"),
    ]

    operations = [
        migrations.CreateModel(
            name="InboundMailbox",
            fields=[
                ("name", models.CharField(max_length=300, primary_key=True, serialize=False)),
                ("lease_until", models.DateTimeField(blank=True, null=True)),
                ("read_at", models.DateTimeField(blank=True, null=True, verbose_name="last read")),
                (
                    "failing_since",
                    models.DateTimeField(blank=True, null=True, verbose_name="failing since"),
                ),
                ("error", models.CharField(blank=True, default="", max_length=500)),
            ],
            options={
                "verbose_name": "mailbox",
                "verbose_name_plural": "mailboxes",
            },
        ),
        migrations.AddField(
            model_name="answer",
            name="proposed_time",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=200,
                verbose_name="time asked for instead",
            ),
        ),
        migrations.AddField(
            model_name="answer",
            name="way",
            field=models.CharField(
                choices=[
                    ("page", "on the event's page"),
                    ("link", "by the link in a message"),
                    ("mail", "from a calendar, by mail"),
                ],
                db_default="page",
                default="page",
                max_length=10,
                verbose_name="how it was given",
            ),
        ),
        migrations.AlterField(
            model_name="answer",
            name="state",
            field=models.CharField(
                choices=[
                    ("needs_action", "not answered"),
                    ("accepted", "accepted"),
                    ("tentative", "perhaps"),
                    ("declined", "declined"),
                    ("delegated", "sends others"),
                    ("other_date", "asks for another date"),
                ],
                max_length=20,
                verbose_name="answer",
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="state",
            field=models.CharField(
                choices=[
                    ("needs_action", "not answered"),
                    ("accepted", "accepted"),
                    ("tentative", "perhaps"),
                    ("declined", "declined"),
                    ("delegated", "sends others"),
                    ("other_date", "asks for another date"),
                ],
                default="needs_action",
                max_length=20,
                verbose_name="answer",
            ),
        ),
        migrations.CreateModel(
            name="AnswerNames",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("names", models.CharField(max_length=500, verbose_name="who comes")),
                (
                    "answer",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="who_comes",
                        to="events.answer",
                    ),
                ),
            ],
            options={
                "verbose_name": "names of those who come",
                "verbose_name_plural": "names of those who come",
            },
        ),
        migrations.CreateModel(
            name="InboundMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("digest", models.CharField(max_length=64, unique=True)),
                (
                    "way",
                    models.CharField(
                        choices=[("mailbox", "mailbox"), ("post", "handed in")],
                        max_length=10,
                        verbose_name="came by",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "not read yet"),
                            ("answered", "counted as the answer"),
                            ("repeated", "said nothing new"),
                            ("outdated", "older than an answer that is here"),
                            ("unverified", "sender not proved"),
                            ("letter", "a letter, to be read by people"),
                            ("late", "nothing is asked any more"),
                            ("bounce", "mail came back"),
                            ("automatic", "automatic reply"),
                            ("unmatched", "belongs to no invitation"),
                            ("set_aside", "cannot be read"),
                            ("settled", "dealt with"),
                        ],
                        default="waiting",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("received_at", models.DateTimeField(verbose_name="received")),
                (
                    "read_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="when it was read"),
                ),
                ("tries", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("error", models.CharField(blank=True, default="", max_length=500)),
                (
                    "sender",
                    models.CharField(blank=True, default="", max_length=320, verbose_name="from"),
                ),
                (
                    "subject",
                    models.CharField(
                        blank=True, default="", max_length=300, verbose_name="subject"
                    ),
                ),
                ("attendee", models.CharField(blank=True, default="", max_length=320)),
                (
                    "said",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("needs_action", "not answered"),
                            ("accepted", "accepted"),
                            ("tentative", "perhaps"),
                            ("declined", "declined"),
                            ("delegated", "sends others"),
                            ("other_date", "asks for another date"),
                        ],
                        default="",
                        max_length=20,
                        verbose_name="answer",
                    ),
                ),
                (
                    "names",
                    models.CharField(
                        blank=True, default="", max_length=500, verbose_name="who comes"
                    ),
                ),
                ("proposed_time", models.CharField(blank=True, default="", max_length=200)),
                (
                    "note",
                    models.CharField(
                        blank=True, default="", max_length=1000, verbose_name="what it says"
                    ),
                ),
                ("raw", models.BinaryField(blank=True, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created"
                    ),
                ),
                (
                    "answer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="inbound_messages",
                        to="events.answer",
                    ),
                ),
                (
                    "invitation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="inbound_messages",
                        to="events.invitation",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="inbound_messages",
                        to="alliances.person",
                    ),
                ),
            ],
            options={
                "verbose_name": "mail that came in",
                "verbose_name_plural": "mail that came in",
                "ordering": ["pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["id"],
                        name="inbound_message_waiting",
                    ),
                    models.Index(fields=["invitation", "id"], name="inbound_message_by_invitation"),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvitationNotice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "method",
                    models.CharField(
                        choices=[("request", "invitation"), ("cancel", "cancellation")],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("sequence", models.PositiveIntegerField()),
                ("stamp_at", models.DateTimeField()),
                ("time_text", models.CharField(blank=True, default="", max_length=120)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created"
                    ),
                ),
                (
                    "invitation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="events.invitation",
                    ),
                ),
            ],
            options={
                "verbose_name": "notice of an invitation",
                "verbose_name_plural": "notices of invitations",
                "ordering": ["invitation", "number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("invitation", "number"), name="invitation_numbers_its_notices"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Invitee",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("replied_sequence", models.PositiveIntegerField(blank=True, null=True)),
                ("replied_stamp_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="created"
                    ),
                ),
                (
                    "invitation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitees",
                        to="events.invitation",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invitees",
                        to="alliances.person",
                    ),
                ),
            ],
            options={
                "verbose_name": "person asked",
                "verbose_name_plural": "people asked",
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("invitation", "person"),
                        name="person_is_asked_once_for_an_invitation",
                    )
                ],
            },
        ),
    ]
