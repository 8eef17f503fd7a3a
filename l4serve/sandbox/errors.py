"""What can go wrong with the sandbox, in words for the person at the terminal."""


class SandboxError(RuntimeError):
    """A failure of the sandbox itself, never of the stack that is tried in it."""

    def __init__(self, message: str, remedy: str = "", detail: str = "") -> None:
        """`message` says what failed, `remedy` what to do, `detail` is the end of a log."""
        self.message = message
        self.remedy = remedy
        self.detail = detail
        super().__init__("\n".join(part for part in (message, detail, remedy and f"fix: {remedy}") if part))
