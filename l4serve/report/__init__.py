"""A difference as people read it: in a terminal, in a comment, as a page. Works on the JSON document alone."""
