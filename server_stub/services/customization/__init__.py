"""Customization: layouts of records, and views of their lists."""
