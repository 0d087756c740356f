"""Commands of plan workbooks."""
