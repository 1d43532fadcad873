"""Files as rows of columns (CSV, workbooks, JSON lines, vCards), and values as people write them."""
