"""From a goal to a configuration: the search over what could be written, and the guide's checklist for what is."""
