//! A MariaDB server that takes everything: it cuts what does not fit, stores a text for NULL, and
//! takes small statements only. Nothing of that reaches the data.

use crate::backend::{Fresh, Kind};
use crate::mariadb::Own;
use crate::place::{at, place_on};
use classy_sync::domain::{Item, Money};
use classy_sync::entities::{Entity, Supporter, Transaction};
use classy_sync::store::Batch;
use sea_orm::ConnectionTrait;

/// So many bytes a statement may have there.
const PACKET: usize = 65_536;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cuts_values_and_takes_small_statements_stores_what_fits_and_rejects_the_rest()
 {
    let packet = format!("--max-allowed-packet={PACKET}");
    let lenient = [
        "--sql-mode=EMPTY_STRING_IS_NULL,NO_BACKSLASH_ESCAPES,ANSI_QUOTES",
        packet.as_str(),
    ];
    let Some(server) = Own::start(&lenient).await else {
        return;
    };
    let made = sea_orm::Database::connect(server.url("mysql"))
        .await
        .unwrap();
    made.execute_unprepared("CREATE DATABASE one")
        .await
        .unwrap();
    let place = place_on(
        Fresh::there(Kind::MySql, server.url("one")),
        tempfile::tempdir().unwrap(),
    )
    .await;
    // A sum that fits no column would become the largest one that does.
    let gift = |id: i64, amount: &str| {
        Item::Good(Transaction {
            id,
            supporter_id: Some(7),
            status: "success".to_owned(),
            total_gross_amount: Money::parse(amount).ok(),
            source_updated_at: at(1),
            ..Transaction::default()
        })
    };
    // Ten thousand of the largest amount there is fit, and one more does not.
    let large = (1..=10_001).map(|id| gift(id, "99999999999.99"));
    let batch = Batch::of(large.chain([gift(20_000, "5")]).collect());
    let counts = place
        .tenant
        .commit(&place.fence, &batch)
        .await
        .unwrap()
        .counts;
    assert_eq!(
        (counts.inserted, counts.rejected),
        (10_001, 1),
        "{:?}",
        place.store.rejects(None, false, 9).await.unwrap()
    );
    let rows = place
        .query("SELECT CAST(lifetime_donation_amount AS CHAR) AS x FROM supporters WHERE id = 7")
        .await;
    assert_eq!(
        rows[0].try_get::<String>("", "x").unwrap(),
        "999999999999905.0000"
    );
    // Far more than one statement takes, and one record that no statement takes.
    let wide = |id: i64, letters: usize| {
        let text = || Some("\u{1f33b}\\'\"".repeat(letters / 4));
        let (address1, address2, city) = (text(), text(), text());
        Item::Good(Supporter {
            id,
            address1,
            address2,
            city,
            last_name: text(),
            source_updated_at: at(1),
            ..Supporter::default()
        })
    };
    let mut people: Vec<_> = (100..400).map(|id| wide(id, 200)).collect();
    let Item::Good(widest) = wide(99_999, 6_000) else {
        unreachable!()
    };
    let more = widest.city.clone();
    people.insert(
        150,
        Item::Good(Supporter {
            first_name: more.clone(),
            phone: more.clone(),
            state: more,
            ..widest
        }),
    );
    let counts = place
        .tenant
        .commit(&place.fence, &Batch::of(people))
        .await
        .unwrap()
        .counts;
    assert_eq!((counts.inserted, counts.rejected), (300, 1));
    assert_eq!(place.tenant.count(Entity::Supporters).await.unwrap(), 300);
    let rejects = place.store.rejects(None, false, 9).await.unwrap();
    let of_size = rejects
        .iter()
        .find(|reject| reject.source_id == 99_999)
        .unwrap();
    assert!(
        of_size.reason == "database" && of_size.detail.contains("max_allowed_packet"),
        "{of_size:?}"
    );
    let kept = place.query("SELECT COUNT(*) AS n FROM supporters WHERE CHAR_LENGTH(city) = 200 AND city LIKE '%\"'").await;
    assert_eq!(
        kept[0].try_get::<i64>("", "n").unwrap(),
        300,
        "as they came"
    );
}
