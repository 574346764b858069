-- insert
INSERT INTO customers (name, email) VALUES ('a', 'b'), ('c', $1)
INSERT INTO customers VALUES (1, 'a')
INSERT INTO app.log (note) SELECT ssn FROM hr.employees
INSERT INTO app.log (note) SELECT ssn FROM hr.employees RETURNING note, at
INSERT INTO app.log DEFAULT VALUES RETURNING *
INSERT INTO customers AS c (id, name, email) VALUES (1, 'a', 'b') ON CONFLICT (email) DO UPDATE SET name = excluded.name || c.name WHERE c.city = 'x' RETURNING c.email
INSERT INTO people (id, name) SELECT id, email FROM customers ON CONFLICT (id) DO UPDATE SET name = excluded.name
INSERT INTO people VALUES (1, 'x') ON CONFLICT DO NOTHING
INSERT INTO stamped (id, note) VALUES (1, 'x')
INSERT INTO v_customers (id, name, contact) VALUES (9, 'x', 'y')
