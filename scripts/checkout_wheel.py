"""The wheel by which `pulumi install` puts this checkout on the path of its environment.

    python -m scripts.checkout_wheel --write

It does what `pip install -e .` does, with no code of its own: a line for Python's path and the console scripts of
pyproject.toml. A wheel is a file, so it has a hash, which a folder has not; it changes with the scripts' names alone.
`--write` renews the file and its hash in requirements.txt.
"""

import argparse
import base64
import hashlib
import io
import re
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME, VERSION = "gke_llm_serving_checkout", "1"
WHEEL = Path("requirements", f"{NAME}-{VERSION}-py3-none-any.whl")
INFO = f"{NAME}-{VERSION}.dist-info"
THE_CHECKOUT = "../../../.."
"""From `.venv/lib/python3.N/site-packages`, the folder that Pulumi.yaml names."""
HASH = re.compile(r"(?<=--hash=sha256:)[0-9a-f]{64}")


def contents() -> dict[str, str]:
    """The wheel's files by name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    scripts = [f"{name} = {target}" for name, target in project["scripts"].items()]
    files = {
        f"{NAME}.pth": f"{THE_CHECKOUT}\n",
        f"{INFO}/METADATA": f"Metadata-Version: 2.1\nName: {NAME.replace('_', '-')}\nVersion: {VERSION}\n",
        f"{INFO}/WHEEL": f"Wheel-Version: 1.0\nGenerator: {NAME}\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{INFO}/entry_points.txt": "\n".join(["[console_scripts]", *scripts, ""]),
    }
    rows = [f"{name},sha256={_digest(text)},{len(text.encode())}" for name, text in files.items()]
    return files | {f"{INFO}/RECORD": "\n".join([*rows, f"{INFO}/RECORD,,", ""])}


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def wheel() -> bytes:
    """The file, the same on every machine: nothing in it is compressed, and all of it is as old as the format."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, text in contents().items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return made.getvalue()


def requirements(text: str) -> str:
    """requirements.txt with the wheel's hash."""
    return HASH.sub(hashlib.sha256(wheel()).hexdigest(), text)


def main() -> int:
    """Exit status 1 where the file or its hash is not what the project says now, and `--write` was not asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    asked, listed = parser.parse_args(), ROOT / "requirements.txt"
    text, file = listed.read_text(encoding="utf-8"), ROOT / WHEEL
    if asked.write:
        file.write_bytes(wheel())
        listed.write_text(requirements(text), encoding="utf-8")
    return int(not file.exists() or file.read_bytes() != wheel() or requirements(text) != text)


if __name__ == "__main__":
    sys.exit(main())
