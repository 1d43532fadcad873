"""Who calls which server: settings by layer, profiles, credentials, and the commands about them."""
