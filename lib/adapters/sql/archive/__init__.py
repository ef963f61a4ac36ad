"""What is old leaves the database in small steps: the analyst's texts for files, what has expired for good."""
