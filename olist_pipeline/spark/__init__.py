"""Apache Spark: units of work as tasks of a cluster, or of this machine, and the trees of dbt there.

What belongs here: everything that knows Spark; nothing else imports pyspark, which is an extra. What does not: the work
itself, which is the same wherever it is done (`validation.work`).
"""
