"""The languages of answers: which one a request gets, and the catalogue of what is said in each.

`negotiation` decides; `catalogue` translates. Each language has one file, ``en.json``, ``de.json``, ``es.json`` and
``ar.json``: messages and labels by their English text, in which values are numbered holes: ``no {0} has the id {1}``.
"""
