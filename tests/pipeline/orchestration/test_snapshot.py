"""A snapshot of what people and scripts rely on: asset keys, jobs, schedules and sensors.

A change on purpose: `UPDATE_SNAPSHOT=1 python -m pytest tests/pipeline/orchestration/test_snapshot.py`, and commit
graph.json.
"""

import json
import os
from pathlib import Path

SNAPSHOT = Path(__file__).with_name("graph.json")


def described(definitions):
    repository = definitions.get_repository_def()
    graph = repository.asset_graph
    return {
        "assets": {
            key.to_user_string(): {
                "group": graph.get(key).group_name,
                "by": "month" if graph.get(key).is_partitioned else "whole",
                "pool": sorted(graph.get(key).pools or ()),
                "checks": sorted(check.name for check in graph.get_check_keys_for_assets([key])),
            }
            for key in sorted(graph.get_all_asset_keys())
        },
        "jobs": {
            job.name: sorted(job.graph.node_dict)
            for job in sorted(repository.get_all_jobs(), key=lambda job: job.name)
            if not job.name.startswith("__")
        },
        "schedules": {
            schedule.name: [schedule.cron_schedule, schedule.execution_timezone, schedule.job_name]
            for schedule in sorted(repository.schedule_defs, key=lambda schedule: schedule.name)
        },
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
    }


def test_the_graph_is_the_one_that_people_rely_on(definitions):
    found = described(definitions)
    if os.environ.get("UPDATE_SNAPSHOT"):
        SNAPSHOT.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(SNAPSHOT.read_text())


def test_every_asset_says_what_it_is_and_whose(definitions):
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key
        if key.path[0] in ("old", "replay", "new"):
            assert node.metadata["dagster/column_schema"].columns, key
        if key.path[0] != "landing":
            assert "dagster/code_references" in node.metadata, key
        assert (node.freshness_policy is None) is (key.path[0] == "landing"), key
        if key.path[0] in ("old", "replay", "new"):
            references = node.metadata["dagster/code_references"].code_references
            files = [Path(reference.file_path) for reference in references]
            [sql] = [path for path in files if path.suffix == ".sql"]
            assert key.path[-1] in sql.name
            assert sql.exists()
            assert node.metadata["sql"].value == f"```sql\n{sql.read_text().strip()}\n```"
            assert "select" not in (node.description or ""), key
        if key.path[0] == "new":
            assert node.metadata["parity report"].url == f"/assets/new/{key.path[1]}?view=checks&checkDetail=parity"


def test_every_check_says_what_it_proves(definitions):
    graph = definitions.resolve_asset_graph()
    said = {key: graph.get_check_spec(key).description or "" for key in graph.asset_check_keys}
    assert [key for key, text in said.items() if not text.strip()] == []
    assert any(text.endswith("It warns, and stops nothing.") for text in said.values())
    assert any(text.startswith("No order_id is there twice.") for text in said.values())
    assert not any("{{" in text for text in said.values())
