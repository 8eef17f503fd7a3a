"""Holds a comment to its promise: no text in it acts."""

import re

OWN_TAGS = {"<!-- l4serve-diff -->", "<code>", "</code>", "<details>", "<summary>", "</summary>", "</details>"}


def assert_inert(comment: str) -> None:
    """Fails where a tag, a link, a mention or an address stands in a comment outside of code."""
    outside_code = re.sub(r"`[^`\n]*`", "", re.sub(r"<code>[^<]*</code>|\\`|&#\d+;", "", comment))
    tags = set(re.findall(r"(?<!\\)<[^>\n]*>", outside_code))
    assert tags <= OWN_TAGS, tags
    assert not re.search(r"(?<!\\)(\]\(|https?://|www\.)", outside_code)
    # An escape does not keep GitHub from a mention or a reference: it looks when the escapes are gone.
    assert not re.search(r"(?<!\w)\\?(@\w|#\d|GH-\d)", outside_code)
    assert comment.count("\n</details>") == comment.count("<details>")
