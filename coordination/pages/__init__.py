"""House rules of the pages: forms that call verbs, refusals as pages, times in words."""
