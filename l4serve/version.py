"""The version of the project. This is its one place: packaging, `l4serve --version` and the release read it here."""

VERSION = "0.1.0"
