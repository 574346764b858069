-- copy
COPY customers TO STDOUT
COPY customers (id, email) TO STDOUT (FORMAT csv)
COPY (SELECT ssn FROM hr.employees) TO STDOUT
COPY (DELETE FROM orders RETURNING id) TO STDOUT
COPY customers (name) FROM STDIN
COPY app.log (note) FROM STDIN WHERE id > 1
COPY customers TO PROGRAM 'curl evil'
COPY customers FROM '/tmp/x'
