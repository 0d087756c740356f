"""The REST API of alliances, members, people and plans."""

RESOURCES = (
    "alliances",
    "bodies",
    "organizations",
    "memberships",
    "chair-terms",
    "people",
    "seats",
    "plans",
)
