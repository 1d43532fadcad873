"""How a demo company is set up: people, rights, configuration, bills, apps."""
