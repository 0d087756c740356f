"""CalDAV (RFC 4791, 6578, 5397): every collection of a person, read as it stands."""
