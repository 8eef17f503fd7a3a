"""Text on its way into a container: Kubernetes replaces $(NAME) in commands, arguments and variables by a value."""


def literal(text: str) -> str:
    """The text as it must stand in a manifest so that the container gets it as it is.

    In `$(NAME)` Kubernetes puts a variable's value, a token's too, and it reads `$$` as `$`. Doubling each `$` keeps
    both as they were written; other text needs nothing.
    """
    return text.replace("$", "$$") if "$(" in text or "$$" in text else text
