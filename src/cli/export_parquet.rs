//! Rows as Apache Parquet: columns with types, for notebooks and warehouses.

use super::exit::{Code, Failure};
use super::output;
use crate::entities::record::Kind;
use crate::store::Cell;
use chrono::DateTime;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriterImpl;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType,
    Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};
use std::sync::Arc;

/// Rows that are in memory at once.
const GROUP: usize = 10_000;
/// Decimals of an amount, and digits in all: as wide as a sum of amounts can be.
const SCALE: u32 = 4;
const PRECISION: i32 = 38;
const AMOUNT_BYTES: i32 = 16;

/// A file that is written to standard output.
pub(super) struct Rows {
    kinds: Vec<Kind>,
    waiting: Vec<Vec<Cell>>,
    file: SerializedFileWriter<output::Stdout>,
}

impl Rows {
    /// Begins one with columns of these names and kinds.
    pub(super) fn begin(columns: &[(&'static str, Kind)]) -> Result<Rows, Failure> {
        let schema = schema(columns).map_err(unwritten)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("classy-sync ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let file = SerializedFileWriter::new(output::Stdout, schema, Arc::new(properties));
        Ok(Rows {
            kinds: columns.iter().map(|(_, kind)| *kind).collect(),
            waiting: Vec::new(),
            file: file.map_err(unwritten)?,
        })
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: Vec<Cell>) -> Result<(), Failure> {
        self.waiting.push(row);
        if self.waiting.len() < GROUP {
            return Ok(());
        }
        self.write_group().map_err(unwritten)
    }

    /// Ends the file.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        self.write_group().map_err(unwritten)?;
        self.file.close().map(drop).map_err(unwritten)
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        for (at, kind) in self.kinds.iter().enumerate() {
            let Some(mut column) = group.next_column()? else {
                break;
            };
            let cells = || self.waiting.iter().filter_map(|row| row.get(at));
            match kind {
                Kind::Int => write(column.typed::<Int64Type>(), cells(), int)?,
                Kind::Bool => write(column.typed::<BoolType>(), cells(), flag)?,
                Kind::Time => write(column.typed::<Int64Type>(), cells(), micros)?,
                Kind::Money => write(column.typed::<FixedLenByteArrayType>(), cells(), amount)?,
                Kind::Text => write(column.typed::<ByteArrayType>(), cells(), text)?,
            }
            column.close()?;
        }
        group.close()?;
        self.waiting.clear();
        Ok(())
    }
}

/// Writes a column; a cell without a value is undefined there.
fn write<'a, T: DataType>(
    column: &mut ColumnWriterImpl<'_, T>,
    cells: impl Iterator<Item = &'a Cell>,
    value: fn(&Cell) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let (mut values, mut defined) = (Vec::new(), Vec::new());
    for cell in cells {
        let value = match cell {
            Cell::Null => None,
            cell => Some(value(cell).ok_or_else(|| {
                ParquetError::General("a value is not of its column's kind".to_owned())
            })?),
        };
        defined.push(i16::from(value.is_some()));
        values.extend(value);
    }
    column
        .write_batch(&values, Some(&defined), None)
        .map(|_| ())
}

fn int(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Int(number) => Some(*number),
        _ => None,
    }
}

fn flag(cell: &Cell) -> Option<bool> {
    match cell {
        Cell::Bool(flag) => Some(*flag),
        _ => None,
    }
}

fn micros(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Text(text) => Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_micros()),
        _ => None,
    }
}

fn amount(cell: &Cell) -> Option<FixedLenByteArray> {
    match cell {
        Cell::Number(amount) => {
            let mut decimal = amount.decimal();
            decimal.rescale(SCALE);
            let bytes = decimal.mantissa().to_be_bytes();
            Some(ByteArray::from(bytes.to_vec()).into())
        }
        _ => None,
    }
}

fn text(cell: &Cell) -> Option<ByteArray> {
    match cell {
        Cell::Text(text) => Some(ByteArray::from(text.as_str())),
        _ => None,
    }
}

fn schema(columns: &[(&'static str, Kind)]) -> Result<TypePtr, ParquetError> {
    let fields = columns.iter().map(|(name, kind)| {
        let (physical, logical) = match kind {
            Kind::Int => (Physical::INT64, None),
            Kind::Bool => (Physical::BOOLEAN, None),
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Time => (
                Physical::INT64,
                Some(LogicalType::timestamp(true, TimeUnit::MICROS)),
            ),
            Kind::Money => (
                Physical::FIXED_LEN_BYTE_ARRAY,
                Some(LogicalType::decimal(SCALE as i32, PRECISION)),
            ),
        };
        let field = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        let field = match kind {
            Kind::Money => field
                .with_length(AMOUNT_BYTES)
                .with_scale(SCALE as i32)
                .with_precision(PRECISION),
            _ => field,
        };
        field.build().map(Arc::new)
    });
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("rows")
        .with_fields(fields)
        .build()
        .map(Arc::new)
}

fn unwritten(error: ParquetError) -> Failure {
    match error {
        ParquetError::External(error) => output::unwritable(std::io::Error::other(error)),
        error => Failure::new(Code::Bug, error.to_string()),
    }
}
