-- views and inheritance
SELECT * FROM v_customers
SELECT contact_lower FROM v_customers WHERE contact = 'x'
SELECT * FROM v_contacts
SELECT top, n FROM v_totals
SELECT name FROM v_union
SELECT ssn FROM m_employees
SELECT name FROM people
SELECT name, diagnosis FROM patients
SELECT payload FROM events
SELECT payload FROM events_2025
SELECT name FROM customers TABLESAMPLE system (10)
