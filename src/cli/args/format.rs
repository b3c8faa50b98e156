//! How something is printed.

use clap::ValueEnum;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ReportFormat {
    /// For people.
    Table,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
}

/// How a table or view is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ExportFormat {
    /// For a spreadsheet: a text that it would take for a formula begins with an apostrophe.
    Csv,
    /// An array of objects, one a line; amounts are texts.
    Json,
    /// For notebooks and warehouses: columns have types, amounts are decimals.
    Parquet,
}

/// How the dictionary is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DictionaryFormat {
    /// With a diagram in Mermaid.
    Markdown,
    /// For programs.
    Json,
    /// One page.
    Html,
}
