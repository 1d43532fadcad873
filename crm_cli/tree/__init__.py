"""The commands that are built from the declarations of `crm_sdk`: their names, arguments, options and calls."""
