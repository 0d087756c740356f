"""Addresses of the pages about oneself; sign-in itself is allauth's."""

from django.urls import include, path

from coordination.accounts import views

urlpatterns = [
    path("me/", views.show_me, name="me"),
    path("me/tokens/", views.show_tokens, name="tokens"),
    path("me/tokens/<uuid:uid>/renew/", views.renew_secret, name="renew_token"),
    path("me/tokens/<uuid:uid>/revoke/", views.end_token, name="revoke_token"),
    path("me/invitations/", views.show_invitations, name="invitations"),
    path("me/invitations/<uuid:uid>/send/", views.send_again, name="renew_invitation"),
    path("accounts/invitation/<str:token>/", views.accept, name="accept_invitation"),
    path("accounts/", include("allauth.urls")),
]
