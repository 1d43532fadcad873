"""Workflows: one engine for what happens by itself, which rules of pipelines run on, too."""
