"""The front door of the command line: it answers ``--help`` from a file, before anything else is imported.

The file is written by ``make docs`` from the tree of commands (`crm_cli.discovery.manifest`). Whatever is not answered
here is left to the tree, which prints the same: other ways to type it, colours, a terminal, and sources that may have
changed since the file was written.
"""
