"""The rules of files: their records, contents, versions, permissions, shares, and what is made of them."""
