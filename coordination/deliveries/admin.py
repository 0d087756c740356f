"""The ledger in the admin: superusers see what went out, let go what is held, and try again."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from coordination.deliveries.holding import release_held, release_period, replay
from coordination.deliveries.models import Endpoint, HoldPeriod, Message
from coordination.deliveries.querysets import MessageQuerySet

if TYPE_CHECKING:
    LedgerBase = admin.ModelAdmin[Any]
else:
    LedgerBase = admin.ModelAdmin


class LedgerAdmin(LedgerBase):
    """Rows that are read here and written by the loop alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def say_again(self, request: HttpRequest, count: int) -> None:
        words = ngettext(
            "%(count)d message goes out again.", "%(count)d messages go out again.", count
        )
        self.message_user(request, words % {"count": count})


@admin.register(Message)
class MessageAdmin(LedgerAdmin):
    list_display = (
        "uid", "created_at", "channel", "recipient", "state", "reason", "attempts",
        "next_attempt_at", "sent_at", "error",
    )  # fmt: skip
    list_filter = ("state", "channel", "source")
    search_fields = ("uid", "recipient")
    exclude = ("rendered", "lease")
    list_select_related = ("endpoint",)
    actions = ("try_again", "release")

    @admin.action(description=_("Try the failed ones among these again"), permissions=["view"])
    def try_again(self, request: HttpRequest, queryset: MessageQuerySet) -> None:
        self.say_again(request, replay(queryset, at=timezone.now()))

    @admin.action(description=_("Let go the held ones among these"), permissions=["view"])
    def release(self, request: HttpRequest, queryset: MessageQuerySet) -> None:
        self.say_again(request, release_held(queryset, at=timezone.now()))


@admin.register(HoldPeriod)
class HoldPeriodAdmin(LedgerAdmin):
    list_display = ("from_at", "until_at", "reason", "released_at")
    actions = ("release",)

    @admin.action(description=_("Let go what these hold back"), permissions=["view"])
    def release(self, request: HttpRequest, queryset: QuerySet[HoldPeriod]) -> None:
        at = timezone.now()
        open_ones = queryset.filter(released_at=None)
        self.say_again(request, sum(release_period(period, at=at) for period in open_ones))


@admin.register(Endpoint)
class EndpointAdmin(LedgerAdmin):
    list_display = ("owner", "channel", "address", "failures", "paused_until", "bounced_at")
    list_filter = ("channel",)
    search_fields = ("owner", "address")
    exclude = ("secret", "previous_secret")
