"""Zips of functions for the tests."""

from __future__ import annotations

import io
import textwrap
import zipfile


def zip_of(files: dict[str, str | bytes]) -> bytes:
    """A zip with these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o755 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


def python(code: str) -> bytes:
    """A zip whose `app.py` is this code."""
    return zip_of({"app.py": textwrap.dedent(code)})


ECHO = """
    def handler(event, context):
        print("echoing", event)
        return event
"""
