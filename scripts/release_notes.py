"""The notes of a release: the changelog's section of a tag, which must be that of the version in l4serve/version.py.

    python scripts/release_notes.py v0.1.0

It needs nothing but Python, so that a release installs no package.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_HEADING = re.compile(r"^## (?P<version>\S+) - (?P<day>\S+)$", re.M)


class NoReleaseError(ValueError):
    """A tag that is no release; the message says what is missing."""


def notes(tag: str, version_file: str, changelog: str) -> str:
    """The changelog's lines of the tagged version. Raises NoReleaseError where tag, version and changelog disagree."""
    found = re.search(r'^VERSION = "([^"]+)"$', version_file, re.M)
    version = found[1] if found else ""
    if tag != f"v{version}":
        raise NoReleaseError(
            f"the tag is {tag} and l4serve/version.py says {version}; tag v{version}, or raise the version"
        )
    headings = list(_HEADING.finditer(changelog))
    ends = [*(following.start() for following in headings[1:]), len(changelog)]
    for heading, end in zip(headings, ends, strict=False):
        if heading["version"] == version:
            if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", heading["day"]):
                raise NoReleaseError(
                    f"CHANGELOG.md says {heading['day']} behind {version}; write the day of the release"
                )
            return changelog[heading.end() : end].strip() + "\n"
    raise NoReleaseError(f"CHANGELOG.md has no section of {version}; begin it with: ## {version} - DAY")


def main() -> int:
    """Prints the notes of the tag that is given."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        version_file, changelog = ((ROOT / name).read_text("utf-8") for name in ("l4serve/version.py", "CHANGELOG.md"))
        print(notes(sys.argv[1], version_file, changelog), end="")
    except NoReleaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
