"""Plan workbooks in and out."""
