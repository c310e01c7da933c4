{#
  Building order-level tables month by month: a run may be given a window of months (the environment variables
  OLIST_FIRST_MONTH and OLIST_LAST_MONTH, first days of months, both included) and then touches those months alone.
  Without a window, or where the table does not exist yet, the whole table is built.

  The window is no variable of dbt's: dbt parses the whole project anew whenever one of those changes.
#}

{# The window as [first, last], or none where this run builds the whole table. #}
{% macro month_window() -%}
    {%- set first, last = env_var('OLIST_FIRST_MONTH', ''), env_var('OLIST_LAST_MONTH', '') -%}
    {%- if not first and not last -%}
        {{ return(none) }}
    {%- endif -%}
    {%- for month in (first, last) -%}
        {%- if not modules.re.fullmatch('[0-9]{4}-[0-9]{2}-01', month) -%}
            {{ exceptions.raise_compiler_error(
                "OLIST_FIRST_MONTH and OLIST_LAST_MONTH must both be first days of months like 2018-10-01, not '" ~ month ~ "'"
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return([first, last]) }}
{%- endmacro %}


{# The condition under which a row of a model belongs to this run: all rows do where the whole table is built. #}
{% macro in_window(column) -%}
    {%- set window = month_window() if is_incremental() else none -%}
    {%- if window -%}
        {{ column }} between date '{{ window[0] }}' and date '{{ window[1] }}'
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}


{#
  The incremental strategy `months`: the window is emptied and filled again, so a month that lost rows loses them
  here too. dbt's own delete+insert empties only the months that the new rows name.
#}
{% macro get_incremental_months_sql(arguments) -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arguments['target_relation'] }} where {{ in_window('order_month') }};
    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }};
{%- endmacro %}


{#
  The same on Spark: a table by month is a folder a month, of which those of the window are written anew. Those of which
  no row is left are dropped, too: `insert overwrite` alone would leave them as they were.
#}
{% macro spark__partition_cols(label, required=false) -%}
    {%- if config.get('incremental_strategy') == 'months' and config.get('materialized') == 'incremental' -%}
        {{ label }} (order_month)
    {%- endif -%}
{%- endmacro %}

{% macro dbt_spark_validate_get_incremental_strategy(strategy, file_format) -%}
    {%- if strategy != 'months' -%}
        {{ exceptions.raise_compiler_error(strategy ~ " is no strategy for Spark here; order-level tables have `months`") }}
    {%- endif -%}
    {{ return(strategy) }}
{%- endmacro %}

{% macro dbt_spark_get_incremental_sql(strategy, rows, table, existing, unique_key, predicates) -%}
    {%- do run_query('set spark.sql.sources.partitionOverwriteMode = dynamic') -%}
    {%- set emptied = run_query(
        'select distinct order_month from ' ~ table ~ ' where ' ~ in_window('order_month')
        ~ ' except select order_month from ' ~ rows
    ) -%}
    {%- for month in emptied.columns[0].values() -%}
        {%- do run_query('alter table ' ~ table ~ " drop partition (order_month = '" ~ month ~ "')") -%}
    {%- endfor -%}
    insert overwrite table {{ table }} partition (order_month)
    {{ spark__get_select_subquery('select * from ' ~ rows) }}
{%- endmacro %}
