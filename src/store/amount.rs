//! Amounts in rows of statements: they are selected as text, which keeps them exact on every
//! database.

use crate::domain::Money;
use sea_orm::{ColIdx, DbErr, QueryResult, TryGetError, TryGetable};

/// An amount that was selected as text.
pub(super) struct Amount(Money);

impl From<Amount> for Money {
    fn from(Amount(money): Amount) -> Money {
        money
    }
}

impl TryGetable for Amount {
    fn try_get_by<I: ColIdx>(row: &QueryResult, index: I) -> Result<Self, TryGetError> {
        let text = String::try_get_by(row, index)?;
        let column = index.as_str().unwrap_or_default();
        Money::parse(&text)
            .map(Amount)
            .map_err(|error| DbErr::Type(format!("{column}: {error}")).into())
    }
}
