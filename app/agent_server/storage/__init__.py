"""What is stored, and how: the pool, the named queries, the fenced saver, migrations, retention.

All SQL is in `sql/*.sql` and `migrations/*.sql`. Time is the database's.
"""
