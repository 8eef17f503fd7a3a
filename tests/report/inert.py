"""Holds a comment to its promise: no text in it acts."""

import re

OWN_TAGS = {"<!-- l4serve-diff -->", "<details>", "<summary>", "</summary>", "</details>"}


def assert_inert(comment: str) -> None:
    """Fails where a tag, a link, a mention or an address stands in a comment outside of code."""
    outside_code = re.sub(r"`[^`\n]*`", "", comment)
    tags = set(re.findall(r"(?<!\\)<[^>\n]*>", outside_code))
    assert tags <= OWN_TAGS, tags
    assert not re.search(r"(?<!\\)(@\w|\]\(|https?://|www\.)", outside_code)
    assert comment.count("\n</details>") == comment.count("<details>")
