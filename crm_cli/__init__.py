"""The command line of the CRM: ``crm``. Its commands are built from the declarations of `crm_sdk`."""
