"""Who belongs to an alliance, who acts for whom, and what is planned."""
