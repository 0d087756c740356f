"""House rules of the REST API: lists, preconditions, problems, pages, schema."""
