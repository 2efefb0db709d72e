"""What is published says what is so: README, pages, schemas, examples, packages."""

from __future__ import annotations
