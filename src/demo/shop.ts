// The demo's data: a small shop with customers, cards, orders and employees, the same in every run.

const FIRST =
  "Ada Alan Barbara Carl Chidi Dana Edsger Elena Fatima Grace Hedy Ivan Jin Katherine Linus Mary Mei Niklaus Olga Priya Radia Sofia Tim Yuki".split(
    " ",
  );
const LAST =
  "Abara Baker Castillo Dubois Eriksen Fischer Garcia Hopper Ito Johnson Kaya Lovelace Mori Novak Okafor Patel Quinn Rossi Silva Turing Ueda Vargas Weber Young".split(
    " ",
  );
const CITIES = ["Berlin", "Lagos", "Lima", "Lisbon", "Osaka", "Paris", "Pune", "Quito", "Seoul", "Turin"];
const THINGS = ["Lamp", "Desk", "Chair", "Kettle", "Mug", "Notebook", "Backpack", "Headphones", "Keyboard", "Plant"];
const KINDS = ["Classic", "Travel", "Studio", "Compact"];
const TITLES = ["Clerk", "Buyer", "Engineer", "Analyst", "Courier", "Manager"];
const STATUSES = ["paid", "shipped", "shipped", "delivered", "delivered", "delivered", "returned", "open"];

export const SIZES = { customers: 120, cards: 120, products: 40, orders: 600, employees: 24 } as const;

/** A small linear congruential generator: the data set is fixed. */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 8;
  }
}

const literal = (value: string | number): string =>
  typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
const rows = (table: string, values: readonly (readonly (string | number)[])[]): string =>
  `INSERT INTO public.${table} VALUES\n${values.map((row) => `(${row.map(literal).join(", ")})`).join(",\n")};`;

/** Appends the check digit (ISO/IEC 7812-1), so that the numbers look real to detectors; the issuer range is a test range. */
export function withLuhn(digits: string): string {
  let sum = 0;
  for (let i = digits.length - 1, double = true; i >= 0; i--, double = !double) {
    const digit = Number(digits[i]) * (double ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return digits + ((10 - (sum % 10)) % 10);
}

const TABLES = [
  `CREATE TABLE public.customers (id int PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE, phone text, city text NOT NULL, created_at date NOT NULL);`,
  `CREATE TABLE public.cards (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES public.customers, number varchar(19) NOT NULL UNIQUE, holder text NOT NULL, expires date NOT NULL);`,
  `CREATE TABLE public.products (id int PRIMARY KEY, sku text NOT NULL UNIQUE, title text NOT NULL, price numeric(10,2) NOT NULL CHECK (price >= 0));`,
  `CREATE TABLE public.orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES public.customers, placed_at timestamptz NOT NULL, status text NOT NULL, total numeric(10,2) NOT NULL);`,
  `CREATE TABLE public.order_items (order_id int NOT NULL REFERENCES public.orders ON DELETE CASCADE, product_id int NOT NULL REFERENCES public.products, quantity int NOT NULL CHECK (quantity > 0), price numeric(10,2) NOT NULL, PRIMARY KEY (order_id, product_id));`,
  `CREATE TABLE public.employees (id int PRIMARY KEY, name text NOT NULL, title text NOT NULL, email text NOT NULL UNIQUE, ssn text NOT NULL UNIQUE, salary numeric(10,2) NOT NULL);`,
  `CREATE INDEX orders_customer ON public.orders (customer_id);`,
  `CREATE VIEW public.customer_contacts AS SELECT id, name, email, phone FROM public.customers;`,
  `CREATE VIEW public.order_totals AS SELECT o.id, c.name AS customer, o.status, o.total FROM public.orders o JOIN public.customers c ON c.id = o.customer_id;`,
  `CREATE VIEW public.revenue_by_city AS SELECT c.city, count(*) AS orders, sum(o.total) AS revenue FROM public.orders o JOIN public.customers c ON c.id = o.customer_id GROUP BY c.city;`,
];

const day = (base: string, offset: number): string =>
  new Date(Date.parse(base) + offset * 86_400_000).toISOString().slice(0, 10);

type Row = (string | number)[];
type Tables = { readonly [table: string]: Row[] };

function tables(): Tables {
  const source = numbers(42);
  const next = (below: number): number => source.next().value % below;
  const digits = (count: number): string => Array.from({ length: count }, () => next(10)).join("");
  const person = (i: number): string =>
    `${FIRST[i % FIRST.length]} ${LAST[(i * 7 + Math.floor(i / FIRST.length)) % LAST.length]}`;
  const mail = (name: string, i: number, domain: string): string =>
    `${name.toLowerCase().replace(" ", ".")}${i}@${domain}`;

  const customers = Array.from({ length: SIZES.customers }, (_, i) => {
    const name = person(i);
    return [
      i + 1,
      name,
      mail(name, i + 1, "example.com"),
      `+1-202-555-01${String(i % 100).padStart(2, "0")}`,
      CITIES[next(CITIES.length)]!,
      day("2023-01-02", next(900)),
    ];
  });
  const cards = customers.map(([id, name], i) => [
    i + 1,
    id!,
    withLuhn(`400000${digits(9)}`),
    String(name).toUpperCase(),
    day("2027-01-31", next(1400)),
  ]);
  const products = Array.from({ length: SIZES.products }, (_, i) => [
    i + 1,
    `SKU-${String(i + 1).padStart(4, "0")}`,
    `${KINDS[Math.floor(i / THINGS.length)]} ${THINGS[i % THINGS.length]}`,
    (499 + next(9000)) / 100,
  ]);
  const orders: (string | number)[][] = [];
  const items: (string | number)[][] = [];
  for (let id = 1; id <= SIZES.orders; id++) {
    const first = next(SIZES.products);
    let total = 0;
    for (let i = 0, count = 1 + next(4); i < count; i++) {
      const product = products[(first + i * 11) % SIZES.products]!;
      const quantity = 1 + next(3);
      total += Math.round(Number(product[3]) * 100) * quantity;
      items.push([id, product[0]!, quantity, product[3]!]);
    }
    orders.push([
      id,
      1 + next(SIZES.customers),
      `${day("2026-01-01", Math.floor(id / 2))} ${String(8 + next(12)).padStart(2, "0")}:${String(next(60)).padStart(2, "0")}:00+00`,
      STATUSES[next(STATUSES.length)]!,
      total / 100,
    ]);
  }
  const employees = Array.from({ length: SIZES.employees }, (_, i) => {
    const name = person(i * 5 + 3);
    return [
      i + 1,
      name,
      TITLES[i % TITLES.length]!,
      mail(name, i + 1, "shop.example"),
      `${100 + next(565)}-${10 + next(89)}-${1000 + next(8999)}`,
      32_000 + next(900) * 100,
    ];
  });
  return { customers, cards, products, orders, order_items: items, employees };
}

/** Puts an order back as it was, with its items; leaves it alone while it is there. */
export function orderSql(id: number): string {
  const { orders, order_items } = tables();
  const again = (table: string, values: readonly Row[]): string =>
    rows(table, values).replace(/;$/, " ON CONFLICT DO NOTHING;");
  return `${again(
    "orders",
    orders!.filter((row) => row[0] === id),
  )} ${again(
    "order_items",
    order_items!.filter((row) => row[0] === id),
  )}`;
}

/** For single-user mode: each statement ends in ";" and an empty line. */
const script = (statements: readonly string[]): string => `${statements.join("\n\n")}\n\n`;

/** What makes the role `app` (which the gate uses) and the database `shop`, which it owns. */
export function shopSetup(passwords: { readonly app: string }): { database: string; sql: string }[] {
  return [
    {
      database: "postgres",
      sql: script([`CREATE ROLE app LOGIN PASSWORD ${literal(passwords.app)};`, "CREATE DATABASE shop OWNER app;"]),
    },
    {
      database: "shop",
      sql: script([
        "GRANT ALL ON SCHEMA public TO app;",
        "SET ROLE app;",
        ...TABLES,
        ...Object.entries(tables()).map(([table, values]) => rows(table, values)),
        "RESET ROLE;",
        "ANALYZE;",
      ]),
    },
  ];
}
