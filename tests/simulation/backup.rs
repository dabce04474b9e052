//! A backup of a store in memory, and putting it back, so that yesterday's store is a part of the simulation.

use crate::world::World;

impl World {
    /// What a backup of this moment would hold.
    pub fn snapshot(&self) {
        let conn = self.store.connection();
        let copies: String = self
            .tables()
            .iter()
            .map(|name| format!("CREATE TABLE copy.{name} AS SELECT * FROM main.{name};"))
            .collect();
        conn.execute_batch(&format!("ATTACH ':memory:' AS copy; {copies}")).expect("copied");
    }

    /// Puts that backup in the place of the store; the site's own options stay as they are.
    pub fn restore(&mut self) {
        let back: String = self
            .tables()
            .iter()
            .map(|name| format!("DELETE FROM main.{name}; INSERT INTO main.{name} SELECT * FROM copy.{name};"))
            .collect();
        let script = format!("PRAGMA foreign_keys = OFF; BEGIN; {back} COMMIT; PRAGMA foreign_keys = ON;");
        self.store.connection().execute_batch(&script).expect("restored");
    }

    fn tables(&self) -> Vec<String> {
        let sql = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let mut statement = self.store.connection().prepare(sql).expect("a statement");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("names")
    }
}
