"""The dbt project of docs/examples/dbt: built by the real dbt on a real PostgreSQL, its answers checked."""
