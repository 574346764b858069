-- bare columns, aliases, stars
SELECT id, email FROM customers
SELECT c.id AS key, c.email AS "E-Mail" FROM customers AS c
SELECT * FROM customers
SELECT o.*, c.name FROM orders o, customers c WHERE o.customer_id = c.id
SELECT public.customers.email FROM public.customers
SELECT label FROM app.customers
SELECT x, y FROM customers AS c(x, y)
SELECT c.x, c.email FROM customers AS c(x, y)
SELECT email FROM ONLY customers
TABLE customers
SELECT "Email Address", "select" FROM "Odd Name"
SELECT ctid, tableoid, xmin FROM orders
SELECT 1, 'x', NULL, $1, current_user, now()
