"""JSON:API 1.1 for every route of the platform, by negotiation: another form of the same requests and answers.

A request in this form is read into the members and parameters that a plain one has, and its envelope is written as a
document. What is an attribute, and what a relationship, follows from the models and nouns.
"""
