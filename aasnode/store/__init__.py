"""What is kept: the inbox of films, the jobs, the results, the course. The only room with SQL."""
