"""What a stack may say: one frozen pydantic model per concern."""
