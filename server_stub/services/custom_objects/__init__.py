"""The rules of custom objects: definitions, fields, records, and the links between records."""
