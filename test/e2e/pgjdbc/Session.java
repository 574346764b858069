// A session of typical use with pgjdbc: server-prepared and binary, batches, cursors with a fetch size, COPY, cancel. Reads PG... variables.
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.*;
import java.util.*;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

public class Session {
  interface Work { Object run() throws Exception; }

  static void say(String label, Object value) { System.out.println(label + ": " + value); }

  static void refused(String label, Work work) throws Exception {
    try {
      say(label, "unexpected " + work.run());
    } catch (PSQLException error) {
      ServerErrorMessage m = error.getServerErrorMessage();
      say(label, m == null ? error.getSQLState() : Arrays.asList(m.getSQLState(), m.getSeverity(), m.getMessage(), m.getDetail(), m.getHint(), m.getPosition(), m.getConstraint()));
    } catch (SQLException error) {
      say(label, error.getSQLState() + " " + error.getMessage());
    }
  }

  static String rows(ResultSet set) throws SQLException {
    StringBuilder out = new StringBuilder();
    int columns = set.getMetaData().getColumnCount();
    while (set.next()) {
      for (int i = 1; i <= columns; i++) out.append(i == 1 ? "[" : ", ").append(set.getObject(i));
      out.append("]");
    }
    return out.toString();
  }

  static Connection open(String... options) throws SQLException {
    Map<String, String> env = System.getenv();
    Properties properties = new Properties();
    properties.setProperty("user", env.get("PGUSER"));
    properties.setProperty("password", env.get("PGPASSWORD"));
    for (int i = 0; i < options.length; i += 2) properties.setProperty(options[i], options[i + 1]);
    return DriverManager.getConnection("jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT") + "/" + env.get("PGDATABASE"), properties);
  }

  public static void main(String[] args) throws Exception {
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    for (String mode : List.of("simple", "extended", "extendedForPrepared", "extendedCacheEverything")) {
      try (Connection c = open("preferQueryMode", mode, "prepareThreshold", "2")) {
        say(mode, rows(c.createStatement().executeQuery("SELECT id, title, price FROM products ORDER BY id LIMIT 2")));
        try (PreparedStatement p = c.prepareStatement("SELECT name, city FROM customers WHERE id = ?")) {
          for (int i = 1; i <= 8; i++) {
            p.setInt(1, i);
            say(mode + " " + i, rows(p.executeQuery()));
          }
        }
        refused(mode + " division", () -> rows(c.createStatement().executeQuery("SELECT 1/0")));
        say(mode + " goes on", rows(c.createStatement().executeQuery("SELECT 1")));
      }
    }
    Connection c = open("prepareThreshold", "1", "binaryTransfer", "true");
    String all = "SELECT ?::int, ?::text, ?::numeric, ?::bool, ?::date, ?::timestamp, ?::uuid, ?::bytea IS NOT NULL, ?::float8, ?::jsonb";
    for (int i = 0; i < 3; i++) {
      try (PreparedStatement p = c.prepareStatement(all)) {
        p.setInt(1, 42); p.setString(2, "Ünïcode 🦉"); p.setBigDecimal(3, new BigDecimal("123456789.0123")); p.setBoolean(4, true); p.setString(5, "2024-02-29");
        p.setTimestamp(6, new Timestamp(0)); p.setObject(7, UUID.fromString("f47ac10b-58cc-4372-a567-0e02b2c3d479")); p.setBytes(8, new byte[] {0, -1}); p.setDouble(9, 1.25); p.setString(10, "{\"a\": [1]}");
        say("types", rows(p.executeQuery()));
      }
    }
    for (String table : List.of("customers", "cards", "products", "employees", "orders")) {
      try (PreparedStatement p = c.prepareStatement("SELECT * FROM " + table + " WHERE id <= ? ORDER BY id")) {
        p.setInt(1, 2);
        ResultSetMetaData meta = p.getMetaData();
        say(table, meta.getColumnTypeName(2) + " " + rows(p.executeQuery()) + rows(p.executeQuery()));
      }
    }
    ResultSet described = c.createStatement().executeQuery("SELECT id, total FROM orders LIMIT 1");
    say("origin", described.getMetaData().getTableName(1) + "." + ((org.postgresql.PGResultSetMetaData) described.getMetaData()).getBaseColumnName(2));
    // What does not parse is refused by the gate itself, in its own words.
    try { c.createStatement().execute("SELEC 1"); } catch (SQLException error) { say("syntax", error.getSQLState()); }
    refused("no table", () -> c.prepareStatement("SELECT * FROM nowhere WHERE i = ?").getMetaData());
    Statement several = c.createStatement();
    say("several", several.execute("SELECT 1; SELECT 2") + " " + rows(several.getResultSet()) + several.getMoreResults() + rows(several.getResultSet()));

    c.createStatement().execute("CREATE TABLE jdbc (id int PRIMARY KEY, v text, n numeric)");
    c.setAutoCommit(false);
    try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc VALUES (?, ?, ?)")) {
      for (int i = 0; i < 1000; i++) {
        p.setInt(1, i); p.setString(2, "v" + i); p.setBigDecimal(3, BigDecimal.valueOf(i, 2));
        p.addBatch();
      }
      say("batch", Arrays.stream(p.executeBatch()).sum());
    }
    c.commit();
    try (PreparedStatement p = c.prepareStatement("SELECT id FROM jdbc ORDER BY id")) {
      p.setFetchSize(70);
      long sum = 0;
      ResultSet set = p.executeQuery();
      while (set.next()) sum += set.getInt(1);
      say("fetched", sum);
    }
    Savepoint savepoint = c.setSavepoint();
    refused("duplicate", () -> c.createStatement().executeUpdate("INSERT INTO jdbc VALUES (1)"));
    refused("failed transaction", () -> c.createStatement().execute("SELECT 1"));
    c.rollback(savepoint);
    say("updated", c.createStatement().executeUpdate("UPDATE jdbc SET v = 'x' WHERE id < 10"));
    c.rollback();
    try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc VALUES (?, 'batch')")) {
      for (int id : new int[] {5000, 5001, 1, 5002}) { p.setInt(1, id); p.addBatch(); }
      refused("batch fails", () -> p.executeBatch());
    }
    c.rollback();
    say("batch undone", rows(c.createStatement().executeQuery("SELECT count(*) FROM jdbc")));
    try (PreparedStatement p = c.prepareStatement("INSERT INTO jdbc VALUES (?, 'key')", Statement.RETURN_GENERATED_KEYS)) {
      p.setInt(1, 6000);
      p.executeUpdate();
      say("keys", rows(p.getGeneratedKeys()));
    }
    c.commit();
    c.setAutoCommit(true);

    CopyManager copy = ((PGConnection) c).getCopyAPI();
    StringBuilder lines = new StringBuilder();
    for (int i = 10000; i < 14000; i++) lines.append(i).append("\tc").append(i).append("\t\\N\n");
    say("copied in", copy.copyIn("COPY jdbc FROM STDIN", new StringReader(lines.toString())));
    StringWriter out = new StringWriter();
    say("copied out", copy.copyOut("COPY (SELECT id, v FROM jdbc WHERE id >= 13990 ORDER BY id) TO STDOUT WITH CSV HEADER", out) + out.toString());
    refused("copy fails", () -> copy.copyIn("COPY jdbc FROM STDIN", new StringReader("x\ty\tz\n")));
    say("goes on", rows(c.createStatement().executeQuery("SELECT count(*) FROM jdbc")));

    try (Connection listener = open(); Statement s = listener.createStatement()) {
      s.execute("LISTEN jdbc_channel");
      c.createStatement().execute("NOTIFY jdbc_channel, 'hello'");
      say("notified", listener.unwrap(PGConnection.class).getNotifications(5000)[0].getParameter());
    }
    Statement noisy = c.createStatement();
    noisy.execute("DO $$ BEGIN RAISE WARNING 'careful'; END $$");
    say("warning", noisy.getWarnings().getMessage());
    Statement sleeper = c.createStatement();
    new Thread(() -> {
      try { Thread.sleep(400); sleeper.cancel(); } catch (Exception ignored) { }
    }).start();
    refused("canceled", () -> sleeper.execute("SELECT pg_sleep(20)"));
    Statement slow = c.createStatement();
    slow.setQueryTimeout(1);
    refused("timeout", () -> slow.execute("SELECT pg_sleep(20)"));
    say("after cancel", rows(c.createStatement().executeQuery("SELECT 1")));
    DatabaseMetaData meta = c.getMetaData();
    say("tables", rows(meta.getTables(null, "public", "%", new String[] {"TABLE", "VIEW"})));
    ResultSet columns = meta.getColumns(null, "public", "orders", "%");
    while (columns.next()) say("column", columns.getString("COLUMN_NAME") + " " + columns.getString("TYPE_NAME") + " " + columns.getString("IS_NULLABLE"));
    say("keys", rows(meta.getPrimaryKeys(null, "public", "orders")));
    say("foreign", rows(meta.getImportedKeys(null, "public", "order_items")));
    try (CallableStatement call = c.prepareCall("{? = call upper(?)}")) {
      call.registerOutParameter(1, Types.VARCHAR);
      call.setString(2, "called");
      call.execute();
      say("call", call.getString(1));
    }
    say("large", rows(c.createStatement().executeQuery("SELECT length(repeat('x', 3000000)), md5(repeat('x', 3000000))")));
    c.createStatement().execute("DROP TABLE jdbc");
    c.close();
  }
}
