"""The pages: home, calendar, sign-in look, history, and the arithmetic of board and month."""
