{#
  The date on which the warehouse looks back, as a SQL literal: the variable `as_of`, else the environment's
  OLIST_AS_OF, else the last purchase date in the landing files. Never the clock, so that a build can be repeated.

  Without either the model depends on landing, and the query reads the CSV file whatever the target
  is: all trees get the same date, also the one whose sources are accepted rows.
#}
{% macro as_of() %}
    {%- set given = var('as_of', none) or env_var('OLIST_AS_OF', '') -%}
    {%- if given -%}
        {%- if not modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', given | string) -%}
            {{ exceptions.raise_compiler_error("as_of (OLIST_AS_OF) must be a date like 2018-10-17, not '" ~ given ~ "'") }}
        {%- endif -%}
        {{ return("date '" ~ given ~ "'") }}
    {%- endif -%}

    {%- set orders = source('landing', 'orders') -%}
    {%- if not execute -%}
        {{ return("date '1970-01-01'") }}
    {%- endif -%}

    {%- set query -%}
        select cast(max(purchased_at) as date) as last_purchase
        from (
            select try_cast(order_purchase_timestamp as timestamp) as purchased_at
            from {{ orders if target.type == 'spark' else landing_csv('orders') }}
        ) as purchases
        {{ 'where isfinite(purchased_at)' if target.type != 'spark' }}
    {%- endset -%}
    {%- set last_purchase = run_query(query).columns[0].values()[0] -%}
    {%- if not last_purchase -%}
        {{ exceptions.raise_compiler_error(
            "landing has no order with a purchase date: give the date with --vars '{as_of: 2018-10-17}'"
        ) }}
    {%- endif -%}
    {{ return("date '" ~ last_purchase ~ "'") }}
{% endmacro %}


{# The CSV file of a landing table as a relation, whatever the source resolves to in this target: see sources.yml. #}
{% macro landing_csv(table) %}
    {%- set sources = graph.sources.values() | selectattr('source_name', 'equalto', 'landing') -%}
    {%- set meta = (sources | selectattr('name', 'equalto', table) | first).meta -%}
    {%- set options = meta.csv_columns ~ ", " ~ meta.csv_options -%}
    {%- set file = "'" ~ meta.folder ~ "/" ~ meta.file ~ "'" -%}
    (
        select {{ meta.cells }}
        from (select {{ meta.csv_record }} as record from read_csv({{ file }}, header = true, {{ options }})) as records
        cross join (
            select {{ meta.csv_record }} as names from read_csv({{ file }}, header = false, {{ options }}) limit 1
        ) as header
    )
{% endmacro %}
