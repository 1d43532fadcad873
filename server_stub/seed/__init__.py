"""The demo data: two companies with everything that happened to them."""
