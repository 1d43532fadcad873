"""The rules of the marketplace: its apps, their review, and what companies install."""
