"""The declarations: one module for each noun, with its calls, their routes and what they take and answer."""
