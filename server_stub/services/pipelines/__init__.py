"""The rules of pipelines, their stages and their automation rules."""
