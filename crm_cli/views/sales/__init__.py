"""The views of who sells: accounts, deals, pipelines, the calendar, conversations, figures."""
