"""The rules of collaboration: shares, comments, mentions, and the feed of what happens."""
