"""People and tokens in the admin: superusers see them all; secrets are nowhere."""

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coordination.accounts.enrolling import close_account, reopen_account
from coordination.accounts.middleware import viewer_of
from coordination.accounts.models import ApiToken, User
from coordination.accounts.tokens import revoke_token
from coordination.changes.refusals import TransitionNotAllowed


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]  # as below
    list_display = ("username", "email", "is_superuser", "is_active", "invited_at", "last_login")
    list_filter = ("is_superuser", "is_active", "language")
    search_fields = ("username", "email")
    filter_horizontal = ()
    actions = ("close", "reopen")
    readonly_fields = (
        "uid",
        "is_active",
        "last_login",
        "date_joined",
        "invited_at",
        "bounced_email",
        "email_bounced_at",
        "email_bounce_reason",
    )
    fieldsets = (
        (None, {"fields": ("uid", "username", "password", "email")}),
        (_("Reading"), {"fields": ("language", "time_zone")}),
        (_("Rights"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (_("Mail that came back"), {"fields": readonly_fields[5:]}),
        (_("Dates"), {"fields": ("last_login", "date_joined", "invited_at")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email", "password1", "password2")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False  # an account is closed; what the person did keeps its author

    @admin.action(description=_("Close the chosen accounts"), permissions=["change"])
    def close(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        at = timezone.now()
        for user in queryset.filter(is_active=True):
            try:
                close_account(user, viewer=viewer_of(request), at=at)
            except TransitionNotAllowed as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
                return
        self.message_user(request, _("The accounts are closed; their tokens and links are ended."))

    @admin.action(description=_("Open the chosen accounts again"), permissions=["change"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset.filter(is_active=False):
            reopen_account(user, viewer=viewer_of(request))
        self.message_user(
            request, _("The accounts are open again. Tokens and links have to be made anew.")
        )


if TYPE_CHECKING:
    TokenAdminBase = admin.ModelAdmin[ApiToken]
else:
    TokenAdminBase = admin.ModelAdmin


@admin.register(ApiToken)
class ApiTokenAdmin(TokenAdminBase):
    list_display = ("name", "user", "kind", "prefix", "last_used_at", "expires_at", "revoked_at")
    list_filter = ("kind",)
    search_fields = ("name", "prefix", "user__username")
    list_select_related = ("user",)
    exclude = ("sha256",)
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    @admin.action(description=_("Revoke the chosen tokens"), permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        at = timezone.now()
        for token in queryset.select_related("user"):
            revoke_token(token, viewer=viewer_of(request), at=at)
        self.message_user(request, _("The tokens are revoked."))
