"""What a reader has done before a page that builds on another one, and which test follows what is not followed here."""

from __future__ import annotations

from dataclasses import dataclass

TAP = ". .venv-tap/bin/activate"
MELTANO = ". .venv-meltano/bin/activate"


@dataclass(frozen=True)
class Start:
    """The pages followed before, what the terminal has activated and set, and programs that the page asks for."""

    after: tuple[str, ...] = ()
    commands: str = ""
    programs: tuple[str, ...] = ()


STARTS = {
    "docs/sandbox.md": Start(after=("docs/get-started.md",)),
    "docs/credentials.md": Start(after=("docs/get-started.md",), commands=TAP),
    "docs/quota.md": Start(after=("docs/credentials.md",), commands=TAP),
    "docs/state.md": Start(after=("docs/meltano.md",), commands=MELTANO),
    "docs/without-meltano.md": Start(after=("docs/credentials.md",), programs=("pipx", "uvx", "uv")),
    "docs/sharding.md": Start(
        after=("docs/get-started.md", "docs/postgresql.md"),
        commands=f'{TAP}\nexport TARGET="$PWD/.venv-target/bin/target-jsonl"',
    ),
    "docs/postgresql.md": Start(after=("docs/meltano.md",), commands=MELTANO),
    "docs/bigquery.md": Start(
        after=("docs/meltano.md",), commands=f"{MELTANO}\nSTATE=dev:tap-usertesting-to-target-jsonl"
    ),
    "docs/status.md": Start(after=("docs/credentials.md",), commands=TAP),
    "docs/examples/hub/README.md": Start(after=("docs/meltano.md",), commands=MELTANO),
}
# Pages whose blocks need an environment that takes minutes to install, by the tests that paste them there.
ELSEWHERE = {
    "docs/airflow.md": "tests/e2e/orchestrators/test_airflow.py",
    "docs/examples/dbt/README.md": "tests/e2e/dbt/project.py",
    "docs/dagster.md": "tests/e2e/orchestrators/test_dagster.py",
}
