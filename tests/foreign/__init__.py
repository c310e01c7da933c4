"""A small dbt project of strangers, which knows nothing of this pipeline, and its landing."""
