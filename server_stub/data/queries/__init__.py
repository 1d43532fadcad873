"""Filters, words and sorts of lists and searches over stored documents."""
