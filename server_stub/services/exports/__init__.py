"""Exports of any records: at once, or on a schedule."""
