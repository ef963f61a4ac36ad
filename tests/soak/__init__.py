"""Whether it can run for days: memory, open files and the growth of tables over hours of market or machine time."""
