{#
  What Spark needs besides (target `spark`): sources as views of Parquet files, and contracts that hold. It finds these
  macros in the place of dbt-spark's own; DuckDB calls none of them.
#}

{#
  A hook: on Spark each source that this run reads is a view of Parquet files, with the name that the models know. On
  DuckDB a source is its files: `external_location`.
#}
{% macro sources_as_views() -%}
    {%- if execute and target.type == 'spark' -%}
        {# The pipeline reads this line: it says in which application a table was made. #}
        {%- do log('spark.app.id is ' ~ run_query('set spark.app.id').columns[1].values()[0], info=true) -%}
        {%- set read = [] -%}
        {%- for unique_id in selected_resources if unique_id in graph.nodes -%}
            {%- do read.extend(graph.nodes[unique_id].depends_on.nodes) -%}
        {%- endfor -%}
        {%- for unique_id in read | unique if unique_id in graph.sources -%}
            {%- set source = graph.sources[unique_id] -%}
            {%- do run_query('create schema if not exists ' ~ source.schema) -%}
            {%- set path = source.meta.parquet | replace('{name}', source.name) | replace('`', '``') -%}
            {# Spark takes paths for patterns, as DuckDB does. #}
            {%- set exact = modules.re.sub('([][{}*?])', '\\\\\\1', path) -%}
            {%- do run_query(
                'create or replace view ' ~ source.relation_name ~ ' as select * from parquet.`' ~ exact ~ '`'
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{#
  Landing as Parquet, cell by cell as DuckDB reads the CSV files, for Spark, whose own reader of CSV changes line breaks
  and cuts records otherwise: `dbt run-operation landing_as_parquet`, with a target of DuckDB.
#}
{% macro landing_as_parquet() -%}
    {%- for source in graph.sources.values() if source.source_name == 'landing' -%}
        {%- set file = source.meta.parquet | replace('{name}', source.name) | replace("'", "''") -%}
        {%- do run_query("copy (from " ~ landing_csv(source.name) ~ ") to '" ~ file ~ "' (format parquet)") -%}
    {%- endfor -%}
{%- endmacro %}


{# The columns of a contract, empty: how DuckDB calls types, Spark understands but for one. #}
{% macro spark__get_empty_schema_sql(columns) -%}
    select
    {%- for column in columns.values() %}
        cast(null as {{ 'string' if column.data_type == 'varchar' else column.data_type }}) as {{ column.name }}
        {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}


{# The rows of a model with a contract. A null that this forbids ends the build, as in DuckDB: Parquet would hold it. #}
{% macro spark__get_select_subquery(sql) -%}
    select
    {%- for column in model.columns.values() %}
        {% if column.constraints | selectattr('type', 'equalto', 'not_null') | list -%}
            coalesce(
                {{ column.name }}, raise_error('{{ this }}.{{ column.name }} is null, and its contract forbids that')
            ) as {{ column.name }}
        {%- else -%}
            {{ column.name }}
        {%- endif -%}
        {{- ',' if not loop.last }}
    {%- endfor %}
    from (
        {{ sql }}
    ) as of_model
{%- endmacro %}

{% macro spark__persist_constraints(relation, model) -%}
    {# They hold already. #}
{%- endmacro %}
