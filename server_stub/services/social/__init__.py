"""Social networks: accounts, posts, listening and engagement."""
