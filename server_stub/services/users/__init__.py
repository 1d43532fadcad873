"""The rules of users, their roles, profiles, preferences and teams."""
