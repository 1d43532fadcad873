"""The rules of integrations: their credentials, field mappings, and the synchronisation of records."""
