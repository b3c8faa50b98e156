//! Many rows in few statements: how a batch of records is written.
//!
//! Every database takes what it unpacks fastest. PostgreSQL takes one array for each column, so that
//! there is one statement, whose plan does not depend on the number of rows. Numbers and times travel
//! as the driver's own arrays, which cannot hold NULL: a value that no record has stands for it. All
//! else travels as text, at a fifth of what times as text would (`docs/performance.md`). SQLite and MySQL take a row of parameters for each
//! row, in groups of a few sizes, so that few statements have to be prepared. One JSON document for
//! all rows, which `statement` makes for what has few columns, costs two to five times as much here:
//! a record has up to eighty columns, and each is looked for in its object by name.

use super::column_value::{self, ColumnValue};
use super::dialect::{Dialect, Field};
use crate::entities::record::Kind;
use sea_orm::{Statement, Value};

/// Rows of one statement, from the largest group on. With eighty columns the largest has 10,240
/// parameters; SQLite takes 32,766 and MySQL 65,535.
const GROUPS: [usize; 3] = [128, 16, 1];

/// What the values of one group may occupy, unless a single row is larger.
pub(super) const GROUP_BYTES: usize = 512 * 1024;

/// Where rows are written, and what happens to those that are there.
pub(super) struct BulkInsert<'a> {
    pub(super) dialect: Dialect,
    pub(super) table: &'a str,
    pub(super) fields: &'a [Field<'a>],
    /// From this place on a field has the same value in every row.
    pub(super) first_shared: usize,
    /// What follows the rows, such as `ON CONFLICT ...`; empty when a row that is there is an error.
    pub(super) on_conflict: &'a str,
    /// What the values of one group may occupy here, see [`GROUP_BYTES`].
    pub(super) most_bytes: usize,
}

/// A statement and what its values occupy, in bytes.
pub(super) struct SizedStatement {
    pub(super) statement: Statement,
    pub(super) bytes: usize,
}

impl BulkInsert<'_> {
    /// The statements for `count` rows; `value` tells the value of a row in a column, both by their
    /// place.
    pub(super) fn statements<'v>(
        &self,
        count: usize,
        value: impl Fn(usize, usize) -> ColumnValue<'v>,
    ) -> Vec<SizedStatement> {
        if count == 0 {
            return Vec::new();
        }
        if self.dialect.takes_arrays() {
            return vec![self.of_arrays(count, &value)];
        }
        let mut statements = Vec::new();
        let mut first = 0;
        while first < count {
            let sized = self.of_rows(first, count - first, &value);
            first += sized.1;
            statements.push(sized.0);
        }
        statements
    }

    fn of_arrays<'v>(
        &self,
        count: usize,
        value: &impl Fn(usize, usize) -> ColumnValue<'v>,
    ) -> SizedStatement {
        let (mut bytes, mut parameters) = (0, Vec::new());
        let (mut sources, mut selected) = (Vec::new(), Vec::new());
        for (place, (_, kind)) in self.fields.iter().enumerate() {
            let (number, name) = (place + 1, self.dialect.type_name(*kind));
            if place >= self.first_shared {
                let shared = value(0, place);
                bytes += shared.bytes();
                parameters.push(shared.parameter(self.dialect));
                // A number goes as one, all else as text.
                let text = if *kind == Kind::Int { "" } else { "text::" };
                selected.push(format!("${number}::{text}{name}"));
                continue;
            }
            let array = column_value::array(*kind, (0..count).map(|row| value(row, place)));
            bytes += array.bytes;
            parameters.push(array.value);
            let text = array.null.map_or("text::", |_| "");
            sources.push(format!("${number}::{text}{name}[]"));
            selected.push(array.null.map_or_else(
                || format!("c{number}"),
                |null| format!("NULLIF(c{number}, {null}::{name})"),
            ));
        }
        let names: Vec<String> = (1..=self.first_shared.min(self.fields.len()))
            .map(|number| format!("c{number}"))
            .collect();
        let text = format!(
            "{} SELECT {} FROM unnest({}) AS j({}) {}",
            self.opening(),
            selected.join(", "),
            sources.join(", "),
            names.join(", "),
            self.on_conflict
        );
        SizedStatement {
            statement: self.dialect.statement(text, parameters),
            bytes,
        }
    }

    /// The next group of at most `left` rows from `first` on, and how many they are.
    fn of_rows<'v>(
        &self,
        first: usize,
        left: usize,
        value: &impl Fn(usize, usize) -> ColumnValue<'v>,
    ) -> (SizedStatement, usize) {
        let columns = self.fields.len();
        let largest = GROUPS.into_iter().find(|size| *size <= left).unwrap_or(1);
        let mut values: Vec<Value> = Vec::with_capacity(columns * largest);
        // What the first rows occupy together, for each number of them.
        let mut sums: Vec<usize> = Vec::with_capacity(largest);
        while sums.len() < largest {
            let mut bytes = sums.last().copied().unwrap_or(0);
            for column in 0..columns {
                let value = value(first + sums.len(), column);
                bytes += value.bytes();
                values.push(value.parameter(self.dialect));
            }
            if bytes > self.most_bytes && !sums.is_empty() {
                break;
            }
            sums.push(bytes);
        }
        // A group that is cut by its size is of a size that is prepared all the same.
        let fits = |size: &usize| *size <= sums.len();
        let rows = GROUPS.into_iter().find(fits).unwrap_or(1);
        let bytes = sums.get(rows - 1).copied().unwrap_or(0);
        values.truncate(rows * columns);
        let row = format!("({})", vec!["?"; columns].join(", "));
        let text = format!(
            "{} VALUES {} {}",
            self.opening(),
            vec![row.as_str(); rows].join(", "),
            self.on_conflict
        );
        let statement = self.dialect.statement(text, values);
        (SizedStatement { statement, bytes }, rows)
    }

    fn opening(&self) -> String {
        let names = self
            .fields
            .iter()
            .map(|(name, _)| self.dialect.quoted(name));
        format!(
            "INSERT INTO {} ({})",
            self.table,
            names.collect::<Vec<_>>().join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    fn insert(dialect: Dialect, count: usize, text: &str) -> Vec<SizedStatement> {
        let fields = [("id", Kind::Int), ("name", Kind::Text)];
        let insert = BulkInsert {
            dialect,
            table: "people",
            fields: &fields,
            first_shared: fields.len(),
            on_conflict: "",
            most_bytes: GROUP_BYTES,
        };
        insert.statements(count, |row, column| match column {
            0 => ColumnValue::Int(row as i64),
            _ => ColumnValue::Text(Cow::Borrowed(text)),
        })
    }

    fn rows_of(statements: &[SizedStatement]) -> Vec<usize> {
        let values =
            |sized: &SizedStatement| sized.statement.values.as_ref().map_or(0, |all| all.0.len());
        statements.iter().map(|sized| values(sized) / 2).collect()
    }

    #[test]
    fn rows_go_in_groups_of_few_sizes_and_none_is_left_out() {
        let [sqlite, ..] = Dialect::ALL;
        let statements = insert(sqlite, 290, "Zoë");
        assert_eq!(
            rows_of(&statements),
            [vec![128, 128, 16, 16], vec![1, 1]].concat()
        );
        let ids = statements.iter().flat_map(|sized| {
            let values = &sized.statement.values.as_ref().unwrap().0;
            values.iter().step_by(2).cloned().collect::<Vec<_>>()
        });
        assert!(ids.eq((0..290_i64).map(Value::from)));
    }

    #[test]
    fn a_group_of_large_rows_is_cut_and_a_row_larger_than_that_goes_alone() {
        let [.., mysql] = Dialect::ALL;
        let rows = rows_of(&insert(mysql, 128, &"x".repeat(GROUP_BYTES / 20)));
        assert_eq!(rows.iter().sum::<usize>(), 128);
        assert!(rows.iter().all(|rows| *rows <= 16), "{rows:?}");
        let groups = insert(mysql, 128, &"x".repeat(GROUP_BYTES / 20));
        assert!(groups.iter().all(|group| group.bytes <= GROUP_BYTES));
        let rows = rows_of(&insert(mysql, 3, &"x".repeat(GROUP_BYTES)));
        assert_eq!(rows, [1, 1, 1]);
    }

    #[test]
    fn nothing_is_sent_for_no_rows() {
        for dialect in Dialect::ALL {
            assert!(insert(dialect, 0, "").is_empty(), "{dialect:?}");
        }
    }

    #[test]
    fn what_means_something_within_an_array_is_escaped() {
        let [_, postgres, _] = Dialect::ALL;
        let statements = insert(postgres, 2, "a\"b\\c,{d}\n NULL");
        let values = &statements[0].statement.values.as_ref().unwrap().0;
        assert_eq!(values[0], Value::from(vec![0_i64, 1]));
        let quoted = "\"a\\\"b\\\\c,{d}\n NULL\"";
        assert_eq!(values[1], Value::from(format!("{{{quoted},{quoted}}}")));
    }
}
