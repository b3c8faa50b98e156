//! Which field of a record is which column, said a second time and apart from the program.

use classy_sync::domain::Money;
use classy_sync::entities::{Campaign, RecurringPlan, Supporter, Transaction};
use sea_orm::{DbErr, QueryResult};

/// A record that can be read back, every field of it.
pub trait Columns: Sized {
    /// Names, and whether an amount.
    const STORED: &'static [(&'static str, bool)];
    fn read_back(row: &QueryResult) -> Result<Self, DbErr>;
}

fn money(row: &QueryResult, name: &str) -> Result<Option<Money>, DbErr> {
    let text: Option<String> = row.try_get("", name)?;
    Ok(text.map(|text| Money::parse(&text).unwrap()))
}

macro_rules! columns {
    (@ money) => { true };
    (@ plain) => { false };
    (@ money $row:ident $name:expr) => { money($row, $name)? };
    (@ plain $row:ident $name:expr) => { $row.try_get("", $name)? };
    (@ name $field:ident $name:literal) => { $name };
    (@ name $field:ident) => { stringify!($field) };
    ($record:ident: $($kind:ident $field:ident $(as $name:literal)?),* $(,)?) => {
        impl Columns for $record {
            const STORED: &'static [(&'static str, bool)] = &[$((columns!(@ name $field $($name)?), columns!(@ $kind))),*];
            fn read_back(row: &QueryResult) -> Result<Self, DbErr> {
                Ok($record { id: row.try_get("", "id")?, $($field: columns!(@ $kind row columns!(@ name $field $($name)?)),)* ..$record::default() })
            }
        }
    };
}

columns!(Supporter:
    plain email_address, plain first_name, plain last_name, plain phone, plain address1, plain address2, plain city, plain state,
    plain postal_code, plain country, plain email_opt_in, plain consent_decided_at, plain origin, plain source_campaign_id,
    plain member_id, plain source_created_at, plain source_updated_at,
);
columns!(Campaign:
    plain name, plain status, plain kind as "type", money goal, plain currency_code, plain timezone, plain canonical_url,
    plain started_at, plain ended_at, plain source_created_at, plain source_updated_at,
);
columns!(RecurringPlan:
    plain supporter_id, plain campaign_id, money amount, plain currency_code, plain frequency, plain status, plain is_paused,
    plain started_at, plain next_payment_date, plain canceled_at, plain source_created_at, plain source_updated_at,
);
columns!(Transaction:
    plain supporter_id, plain campaign_id, plain recurring_plan_id, plain parent_transaction_id, plain designation_id, plain status,
    money total_gross_amount, money donation_gross_amount, money donation_net_amount, money fees_amount, plain currency_code,
    money raw_total_gross_amount, plain raw_currency_code, money charged_total_gross_amount, plain charged_currency_code,
    plain frequency, plain payment_method, plain payment_type, plain is_anonymous, plain purchased_at, plain refunded_at,
    plain source_created_at, plain source_updated_at,
);
