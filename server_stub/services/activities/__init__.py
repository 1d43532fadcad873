"""The rules of activities: tasks, events, calls, e-mails and notes; timelines, calendars and meetings."""
