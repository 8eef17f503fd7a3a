"""The JSON Schema of the config models, and what the reference tells of each key."""
