"""The audit of a large project: 700 models with macros, CTE chains and rules.

What belongs here: making such a project, and timing the command on it. What does not: what the audit finds.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

MODELS = 700
SECONDS = 40
"""So long it may take, by the clock of a quiet machine with two cores."""
MACRO = """
{% macro tier(column, high, low) %}
    case when {{ column }} >= {{ high }} then 'HIGH' when {{ column }} >= {{ low }} then 'MEDIUM' else 'LOW' end
{% endmacro %}
"""
MODEL = """
{{{{ config(materialized='table') }}}}
with orders as (select * from {{{{ ref('model_{before}') }}}}),
customers as (select * from {{{{ source('raw', 'customers') }}}} where email not like '%@example.com'),
items as (
    select order_id, count(*) as total_items, sum(price) as total_price,
        sum(case when kind = 'gift' then price else 0 end) as gift_price,
        sum(case when status in ('canceled', 'unavailable') then 0 else price end) as revenue
    from {{{{ ref('items') }}}}
    group by order_id
),
joined as (
    select o.*, c.country, coalesce(i.total_items, 0) as total_items, coalesce(c.segment, 'unknown') as segment,
        i.total_price, i.revenue, date_diff('day', o.promised_at, o.delivered_at) as days_late,
        row_number() over (partition by o.customer_id order by o.ordered_at) as order_number
    from orders as o
    left join items as i on i.order_id = o.order_id
    left join customers as c on c.customer_id = o.customer_id
)
select
    order_id,
    {columns}
    {{{{ tier('total_price', 1000, 200) }}}} as value_tier,
    case when days_late is null then null when days_late <= 0 then 'ON_TIME' when days_late <= {number} then 'LATE'
        else 'VERY_LATE' end as performance,
    case when total_items = 0 then null else total_price / total_items end as average_price,
    try_cast(discount as decimal(18, 2)) as discount,
    abs(total_price - paid) > 0.01 as has_mismatch,
    ntile(5) over (order by total_price, order_id) as monetary_score
from joined
where ordered_at >= date '2017-01-01'
"""


def build(folder: Path, models: int) -> None:
    """Write a dbt project of so many models."""
    (folder / "macros").mkdir(parents=True)
    (folder / "models").mkdir()
    (folder / "dbt_project.yml").write_text("name: large\nvars: {}\n")
    (folder / "macros" / "tier.sql").write_text(MACRO)
    columns = "\n    ".join(f"cast(column_{n} as decimal(18, 2)) as column_{n}," for n in range(30))
    for number in range(models):
        text = MODEL.format(before=number - 1, number=number % 9, columns=columns)
        (folder / "models" / f"model_{number}.sql").write_text(text)


def measure(home: Path, models: int = MODELS) -> None:
    """Print how long `olist audit` takes, the start of the process included."""
    folder = home / "audit_project"
    build(folder, models)
    out = home / "audit.json"
    command = [
        sys.executable,
        "-c",
        "from olist_pipeline.cli import main; main()",
        "audit",
        str(folder),
        "--out",
        str(out),
    ]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    clock, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    processors = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # The largest of all processes: the command, or one of its workers.
    peak = after.ru_maxrss / 1024
    print(
        f"audit: {models} models {clock:.1f} s (bound: {SECONDS} s), {processors:.1f} s of CPU, at most {peak:.0f} MB"
    )


if __name__ == "__main__":
    with TemporaryDirectory(prefix="olist-bench-") as folder:
        measure(Path(folder))
