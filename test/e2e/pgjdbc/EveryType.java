// Reads tables of every type with pgjdbc: prints each cell that it saw (table, way, row, column, value), once. Arguments: the tables; reads PG... variables.
import java.sql.*;
import java.util.*;

public class EveryType {
  static final Set<String> said = new HashSet<>();

  static void say(Object... parts) {
    StringJoiner line = new StringJoiner("\t");
    for (Object part : parts) line.add(String.valueOf(part));
    if (said.add(line.toString())) System.out.println(line);
  }

  static int rows(String table, String way, ResultSet set) throws SQLException {
    ResultSetMetaData columns = set.getMetaData();
    int count = 0;
    for (; set.next(); count++) {
      for (int i = 2; i <= columns.getColumnCount(); i++) {
        String value = columns.getColumnType(i) == Types.BINARY && set.getObject(i) != null ? Arrays.toString(set.getBytes(i)) : set.getString(i);
        say(table, way, set.getInt(1), columns.getColumnName(i), value == null ? "NULL" : "=" + value);
        // Of a refcursor it would fetch from the cursor of that name.
        if (columns.getColumnType(i) == Types.REF_CURSOR) continue;
        try {
          set.getObject(i);
        } catch (SQLException | RuntimeException error) { // what Java has no value for
          say(table, way + " " + columns.getColumnName(i), set.getInt(1), "error");
        }
      }
    }
    return count;
  }

  static Connection open(String... options) throws SQLException {
    Map<String, String> env = System.getenv();
    Properties properties = new Properties();
    properties.setProperty("user", env.get("PGUSER"));
    properties.setProperty("password", env.get("PGPASSWORD"));
    for (int i = 0; i < options.length; i += 2) properties.setProperty(options[i], options[i + 1]);
    return DriverManager.getConnection("jdbc:postgresql://" + env.get("PGHOST") + ":" + env.get("PGPORT") + "/" + env.get("PGDATABASE"), properties);
  }

  public static void main(String[] tables) throws Exception {
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    // Prepared on the server from the second execution on, and in binary from then; at once; and never.
    String[][] ways = {{"threshold", "prepareThreshold", "2"}, {"binary", "prepareThreshold", "-1"}, {"simple", "preferQueryMode", "simple"}};
    for (String[] way : ways) {
      try (Connection c = open(way[1], way[2])) {
        for (String table : tables) {
          int rows = 0;
          try (PreparedStatement p = c.prepareStatement("SELECT * FROM masked." + table + " WHERE id BETWEEN ? AND ?")) {
            for (int i = 0; i < 33; i++) {
              p.setInt(1, i < 20 ? 0 : i - 18);
              p.setInt(2, i < 20 ? 1 : i - 18);
              // The first ones may be in text yet, and look otherwise.
              rows += rows(table, i < 3 ? way[0] + " " + i : way[0], p.executeQuery());
            }
          }
          say(table, way[0], "rows", rows);
          c.setAutoCommit(false);
          try (PreparedStatement p = c.prepareStatement("SELECT * FROM masked." + table + " ORDER BY id")) {
            p.setFetchSize(2);
            for (int i = 0; i < 2; i++) rows(table, "cursor " + way[0] + " " + i, p.executeQuery());
          }
          c.commit();
          c.setAutoCommit(true);
        }
      }
    }
  }
}
