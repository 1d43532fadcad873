"""The views of who runs a company's CRM: users, tenants, settings, jobs, backups, the audit trail."""
