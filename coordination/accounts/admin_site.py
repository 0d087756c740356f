"""Open Django's admin to superusers only, through the pages' own sign-in.

allauth's sign-in carries the rate limits and the second factor; the admin's own has neither.
"""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _


class SuperusersAdminSite(admin.AdminSite):
    """The admin for the few who run the installation."""

    site_title = site_header = _("Coordination: administration")
    index_title = _("Tables")

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person is an active superuser; being staff is not enough."""
        return bool(request.user.is_active and request.user.is_superuser)

    def login(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Send whoever has not signed in to the pages' sign-in; refuse the others.

        Raises:
            PermissionDenied: the person is no superuser.
        """
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response
